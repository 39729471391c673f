"""``vetlla reminders``: appointments and what citizens hear of them."""
