"""``vetlla duties``."""
