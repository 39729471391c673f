"""Measurements of receiving, side by side with pysiaalarm."""
