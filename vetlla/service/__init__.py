"""The rules of the telecare service as plain functions of values."""
