"""Emergencies in the street: when their clock began, who goes, and in which order."""
