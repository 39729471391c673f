"""Code tables as data, and their readers."""
