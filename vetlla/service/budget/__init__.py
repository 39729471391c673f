"""The money of the contract: the tables of the tender."""
