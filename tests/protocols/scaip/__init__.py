"""Tests of SCAIP's bodies: recorded requests, broken documents, answers."""
