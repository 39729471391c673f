"""Decoders of the wire formats, each a file or folder, and code tables. They use no I/O, clock, logger or async."""
