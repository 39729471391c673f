"""``vetlla sinks``: what is sent onward to other systems."""
