"""An independent count of the invoice, from docs/invoice.md and what commands export. It imports nothing of Vetlla."""
