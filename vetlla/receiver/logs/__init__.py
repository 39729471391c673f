"""The daemon's log: its form, its writer, its limits."""
