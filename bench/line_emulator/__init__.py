"""A line receiver as its manuals describe it, written without a look at the decoders of the project."""
