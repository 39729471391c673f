"""What the office does about emergencies in the street."""
