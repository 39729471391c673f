"""``vetlla documents``."""
