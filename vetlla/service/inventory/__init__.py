"""The rules of the inventory: movements, checks, the monthly report."""
