"""Stores the journal, the queue, the audit and the registry. No other package holds SQL."""
