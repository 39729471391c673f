"""``vetlla demo``."""
