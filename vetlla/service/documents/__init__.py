"""The rules of documents that the contractor owes to the city: which ones, and when each is due."""
