"""What the desk does with complaints, claims and suggestions."""
