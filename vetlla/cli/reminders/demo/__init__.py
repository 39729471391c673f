"""``vetlla reminders demo``."""
