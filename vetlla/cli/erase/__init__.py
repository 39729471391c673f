"""``vetlla erase``."""
