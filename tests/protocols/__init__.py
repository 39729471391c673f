"""Decoders: recordings, the contract every decoder holds, and each format's own corners."""
