"""Copies of the databases and the way back."""
