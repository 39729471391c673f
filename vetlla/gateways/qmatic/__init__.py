"""Sources of appointments: Qmatic Orchestra (calendar and queue side), Qmatic Experience Cloud, and files."""
