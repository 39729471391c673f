"""``vetlla homes``."""
