"""Asterisk's own files: the call detail records and the log of the queues."""
