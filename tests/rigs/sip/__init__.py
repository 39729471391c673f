"""SIP in tests: messages, servers that are not ours, and our own door."""
