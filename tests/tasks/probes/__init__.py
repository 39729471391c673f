"""Tests of taking in probes, and of the levels that are made of them."""
