"""Checks of the texts before they are sent: each file has the rules of one subject."""
