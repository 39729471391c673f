"""A citizen's telephone in the terminal: the messages that come, and a line to answer on."""
