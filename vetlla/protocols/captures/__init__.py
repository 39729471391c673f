"""Captures: the bytes of a line with their times, as a file, and what can be guessed from them."""
