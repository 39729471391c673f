"""Closed months in the registry, and the digests of the record that they rest on."""
