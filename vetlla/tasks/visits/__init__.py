"""What the office does with visits to homes."""
