"""Admission of reports to the store: duplicates, refusals, verdicts."""
