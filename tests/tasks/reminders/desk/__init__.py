"""What people of the city do with the reminders' database."""
