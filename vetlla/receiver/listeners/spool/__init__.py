"""Reports that Asterisk leaves as files in a directory."""
