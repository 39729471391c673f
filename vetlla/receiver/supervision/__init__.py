"""Which device is heard, late or lost, and what follows from it."""
