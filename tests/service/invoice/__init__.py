"""Tests of the invoice."""
