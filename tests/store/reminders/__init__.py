"""reminders.db."""
