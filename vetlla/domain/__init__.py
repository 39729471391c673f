"""Values and a few functions that all packages share, one file for each subject."""
