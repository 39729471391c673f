"""The agenda: which calls the service owes to homes and people in a month, and when each of them is made."""
