"""The rules of the telecare service, as functions without side effects."""
