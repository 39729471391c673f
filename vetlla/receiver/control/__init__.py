"""The control socket: requests of commands to the running receiver."""
