"""The rules of the inventory: movements, checks and the monthly report."""
