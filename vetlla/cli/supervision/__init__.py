"""``vetlla supervision``."""
