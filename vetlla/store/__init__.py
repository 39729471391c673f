"""Stores what is kept: the journal, the registry, the cards and the reminders. No other package holds SQL."""
