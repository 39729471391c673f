"""The settings of the reminder service: a configuration of its own, beside that of the receiver."""
