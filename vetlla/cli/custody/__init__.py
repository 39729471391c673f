"""``vetlla custody``."""
