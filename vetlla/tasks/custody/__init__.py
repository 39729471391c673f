"""What the service does with the keys in its custody."""
