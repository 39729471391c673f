"""What the support desk does with a ticket."""
