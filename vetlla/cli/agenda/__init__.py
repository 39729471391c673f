"""``vetlla agenda``."""
