"""Settings of the sinks, one file for each kind."""
