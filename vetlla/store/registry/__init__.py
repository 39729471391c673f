"""The office's database: opening, transactions, replacement."""
