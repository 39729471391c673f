"""Sockets with their addresses, bounds and budgets. Nothing here depends on alarms."""
