"""Homes and people in the registry, as dated facts."""
