"""Documents about the keys in custody."""
