"""Tests of the commands of probes."""
