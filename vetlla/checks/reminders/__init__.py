"""Checks of the reminder service: the findings of ``vetlla reminders doctor``."""
