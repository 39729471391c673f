"""``vetlla db``."""
