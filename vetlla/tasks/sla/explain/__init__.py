"""Walks from a figure of a service level to what was recorded."""
