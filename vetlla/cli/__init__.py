"""The commands: each parses, calls one function, renders."""
