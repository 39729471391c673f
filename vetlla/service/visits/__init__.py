"""Visits to homes: what each is for, which of them fit together, what is free, and which duties a plan makes."""
