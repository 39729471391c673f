"""Availability from probes: what time each component was available, and the lines that carry probes."""
