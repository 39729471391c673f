"""Queries of the agenda: its calls are duties, so it has no table of its own."""
