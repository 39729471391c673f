"""What a monitoring system sees of the receiver: health, metrics, status."""
