"""The watch protocol (3G): wrist watches and pendants."""
