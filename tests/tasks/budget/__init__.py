"""Tests of the budget tasks."""
