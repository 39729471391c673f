"""The reminder service as a process."""
