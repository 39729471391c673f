"""The rules of appointment reminders: what is sent and when, and what a citizen's reply means."""
