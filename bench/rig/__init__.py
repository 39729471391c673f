"""The common parts of the measurements."""
