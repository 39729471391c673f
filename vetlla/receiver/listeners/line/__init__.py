"""Ports of line receivers: serial, or TCP in either direction."""
