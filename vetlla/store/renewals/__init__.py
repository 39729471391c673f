"""Renewal plans in the registry."""
