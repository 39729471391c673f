"""``vetlla renewals``."""
