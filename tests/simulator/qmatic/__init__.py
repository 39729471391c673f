"""Tests of the simulated Orchestra."""
