"""Makes the monthly report of activity and management from the record of a month."""
