"""``vetlla visits``."""
