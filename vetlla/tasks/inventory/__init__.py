"""What the office does with the inventory: import files, record movements."""
