"""What receiving costs, side by side with a peer."""
