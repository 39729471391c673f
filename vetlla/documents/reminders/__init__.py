"""The page of a report of the reminder service, in Catalan and in Spanish."""
