"""The rows of files of cards."""
