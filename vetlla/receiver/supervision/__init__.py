"""Supervision: which devices are heard, late or lost, and what the receiver does about it."""
