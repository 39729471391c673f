"""Cutting and checking of frames, as several decoders share it."""
