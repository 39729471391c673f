"""What the office does with the documents that it owes."""
