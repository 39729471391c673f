"""``vetlla inventory``."""
