"""The live board: reads the state of the receiver, and draws it."""
