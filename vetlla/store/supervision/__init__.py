"""What is expected of devices, and the history of their supervision."""
