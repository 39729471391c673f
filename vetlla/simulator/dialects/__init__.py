"""What terminals say and which answers they understand: one file for each protocol, pure, one line in the registry."""
