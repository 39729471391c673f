"""What people of the city do with the reminders' database. Each change is one transaction, and is in the audit."""
