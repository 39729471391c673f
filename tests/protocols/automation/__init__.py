"""Tests of automation output."""
