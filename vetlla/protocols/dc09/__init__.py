"""SIA DC-09: decoder, stream cutter, frame and extended blocks."""
