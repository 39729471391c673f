"""Dialects: the frames that terminals send and the answers that they accept. One file without I/O for each protocol."""
