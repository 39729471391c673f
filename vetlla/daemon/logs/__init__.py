"""The log of the daemon: its format, its writer, its limits."""
