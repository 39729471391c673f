"""``vetlla faults``."""
