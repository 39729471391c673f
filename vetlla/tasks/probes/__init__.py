"""What the office does with probes: takes them in, and says what time each component was available."""
