"""Group commit: many reports in one transaction."""
