"""The faults of the contract: which months and cases lead to one, what its ceiling is, and what is done about it."""
