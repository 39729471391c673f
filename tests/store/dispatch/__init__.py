"""Tests of emergencies in the street."""
