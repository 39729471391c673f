"""Backups of the databases, their inspection and their restore."""
