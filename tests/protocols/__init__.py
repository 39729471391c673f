"""Tests of decoders: recordings, the contract of every decoder, and the special cases of each format."""
