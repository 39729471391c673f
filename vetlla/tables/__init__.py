"""Files of rows, in and out: CSV, XLSX, JSON and NDJSON. Every import reads and every export writes through here.

This room does not know what a row means. Callers give it a kind of row (``vetlla.domain.columns``) and get values.
"""
