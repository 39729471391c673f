"""``vetlla signals``."""
