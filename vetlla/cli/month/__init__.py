"""``vetlla month``: closed months."""
