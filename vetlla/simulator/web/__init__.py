"""What the simulated servers share: how they listen, what goes wrong on the way, and switches for people and tests."""
