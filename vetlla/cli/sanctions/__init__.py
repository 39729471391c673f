"""``vetlla sanctions``: the ledger of faults, and what is done about them."""
