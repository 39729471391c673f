"""Tests of availability from probes."""
