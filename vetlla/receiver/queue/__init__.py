"""The open alarms and what operators do with them."""
