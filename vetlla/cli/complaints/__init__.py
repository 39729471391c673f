"""``vetlla complaints``."""
