"""Files of rows, in and out: CSV, XLSX, JSON and NDJSON. Every import reads and every export writes through here.

What a row means is no business of this room: callers bring the kind of row (``vetlla.domain.columns``) and take values.
"""
