"""Code that the commands share: options, output, progress, exit statuses, the connection to the running receiver."""
