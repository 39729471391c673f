"""The rules of supervision: intervals, pauses, losses, the report."""
