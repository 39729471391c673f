"""The page of an invoice, with its words in three languages."""
