"""Tests of the texts that citizens read."""
