"""Bytes and addresses: sockets, bounds, budgets. Nothing here knows an alarm."""
