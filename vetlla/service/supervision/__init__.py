"""The rules of supervision: intervals, pauses, losses and the monthly report."""
