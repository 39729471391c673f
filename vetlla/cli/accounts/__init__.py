"""``vetlla accounts``."""
