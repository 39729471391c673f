"""The rules of renewal visits: which are needed, when, and in which order."""
