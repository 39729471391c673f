"""Measurements of the office's commands."""
