"""What the commands share: options, output, progress, exit statuses, the way to the running receiver."""
