"""A process that runs tasks on a clock and takes webhooks."""
