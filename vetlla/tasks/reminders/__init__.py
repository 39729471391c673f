"""What the reminder service does, one function for each task."""
