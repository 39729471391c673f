"""The rules of renewal visits: what is needed, when, in which order."""
