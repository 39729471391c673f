"""An independent count of the invoice, from what commands export and from docs/invoice.md. It imports nothing of Vetlla."""
