"""Probes and notes of outages in the registry."""
