"""Charts as SVG. A plotting library would add some 60 MB for bars, and SVG needs no library at all."""
