"""The texts that citizens read: data that an office edits and approves, chosen and filled in for one appointment."""
