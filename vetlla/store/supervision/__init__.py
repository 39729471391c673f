"""Which devices are expected, and the history of their supervision."""
