"""MQTT convention tc/1: decoder, cutter of recordings, whole and broken JSON objects, payload."""
