"""Tests of SIP: recorded messages, cutting of connections, answers, transactions, digest, hostile bytes, an oracle."""
