"""Wire formats: one decoder, one file or folder; code tables as data. No I/O, clock, logger, settings or async."""
