"""The daemon: listeners, session, intake, queue desk, control socket, HTTP, life cycle."""
