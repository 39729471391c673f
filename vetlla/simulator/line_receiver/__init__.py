"""A line receiver with invented lines and homes, as the computer of an alarm centre sees it."""
