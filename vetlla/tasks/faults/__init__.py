"""What the office does with faults of equipment."""
