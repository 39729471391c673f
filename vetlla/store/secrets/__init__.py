"""Keys of terminals."""
