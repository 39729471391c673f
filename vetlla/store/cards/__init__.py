"""The cards of homes: their file, how a card is sealed, the log of who read it."""
