"""The systems around the reminder service, and the account of what they saw."""
