"""What each long-running process needs: its log, and the interface to systemd."""
