"""``vetlla simulate``."""
