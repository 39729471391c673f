"""What the office records about homes and people."""
