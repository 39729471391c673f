"""The calendar of documents that are owed to the city."""
