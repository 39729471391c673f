"""The rules of the queue: admission, urgency, order and steps of alarms."""
