"""What a monitoring system reads from the receiver: health, metrics, status."""
