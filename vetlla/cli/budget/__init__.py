"""``vetlla budget``."""
