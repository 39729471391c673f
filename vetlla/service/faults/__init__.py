"""Faults of equipment: which reports of a terminal are one, and how many each model has."""
