"""Sinks: they send what the receiver stored onward to other systems."""
