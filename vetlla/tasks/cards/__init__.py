"""What the desk does with the cards of homes."""
