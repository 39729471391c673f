"""Connections to servers of others; today these are MQTT brokers."""
