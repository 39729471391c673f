"""``vetlla dispatch``."""
