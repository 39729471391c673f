"""``vetlla probe``: whether the service can be reached from outside, and what time of a month it was available."""
