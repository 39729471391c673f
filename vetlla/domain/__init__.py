"""Values that every room shares, one file a subject; and the few functions that all rooms need."""
