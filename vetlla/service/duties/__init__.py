"""Duties: their kinds, and what their events come to."""
