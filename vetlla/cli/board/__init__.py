"""The live board: how it looks at the receiver, and what it looks like."""
