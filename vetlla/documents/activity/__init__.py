"""The monthly report of activity and management as a page, in three languages."""
