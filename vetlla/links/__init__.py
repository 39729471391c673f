"""Connections to other servers; today these are MQTT brokers."""
