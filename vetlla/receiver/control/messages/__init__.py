"""The messages of the control socket: each request, each answer and each event, for the daemon, commands and tests."""
