"""MQTT convention tc/1: decoder, cutter of recordings, JSON objects whole and broken, payload."""
