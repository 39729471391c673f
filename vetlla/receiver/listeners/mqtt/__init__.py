"""Reports that come through an MQTT broker."""
