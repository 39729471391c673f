"""Wire formats: one decoder, one file; code tables as data. Pure: no I/O, clock, logger, settings or async."""
