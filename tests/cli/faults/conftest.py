"""Faults are tested in the same service as visits."""

from __future__ import annotations

from tests.cli.visits.conftest import service

__all__ = ["service"]
