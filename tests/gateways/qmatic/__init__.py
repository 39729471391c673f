"""Tests of the sources of appointments."""
