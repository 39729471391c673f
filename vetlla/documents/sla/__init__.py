"""The report of the service levels as a page, in three languages."""
