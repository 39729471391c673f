"""MQTT convention tc/1: decoder, recordings, JSON objects whole and broken, payload."""
