"""The invoice of a month: counted from the record, written to files, compared with one that was received."""
