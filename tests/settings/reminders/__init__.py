"""The settings of the reminder service."""
