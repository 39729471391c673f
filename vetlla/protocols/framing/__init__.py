"""Cutting and checking of frames: what several decoders share."""
