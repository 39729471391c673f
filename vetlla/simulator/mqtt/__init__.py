"""Simulated homes that publish through a broker."""
