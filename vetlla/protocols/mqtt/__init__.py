"""MQTT convention tc/1: decoder, recordings, whole and broken JSON objects, payload."""
