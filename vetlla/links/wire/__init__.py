"""Wires to line receivers: a serial port, or a TCP connection in either direction, that is kept open."""
