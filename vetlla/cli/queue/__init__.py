"""The queue as operators work it: commands, what they say, and the sheet of one alarm."""
