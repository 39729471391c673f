"""Commands of the command line. Each parses its arguments, calls one function and renders the result."""
