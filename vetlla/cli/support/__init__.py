"""``vetlla support``: the support desk of the reminder service, and its clocks."""
