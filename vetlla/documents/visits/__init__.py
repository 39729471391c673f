"""The route sheet of a day, and its words in each language."""
