"""``reminders.db``: appointments, the messages about them, and what citizens replied.

Every function takes a connection. Those that write run inside ``atomic``, so that a step of several functions is one
transaction; after a commit the step survives a power cut.
"""
