"""Probes: one real test signal or request of each component, seen through as far as this machine can look."""
