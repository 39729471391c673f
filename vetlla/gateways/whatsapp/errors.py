"""Meta's error codes as data: ``errors.csv`` beside this file, which an office may replace."""

from __future__ import annotations

from importlib.resources import files

from vetlla.domain.failures import FailureTable, failure_table_of


def failure_table() -> FailureTable:
    """Return the table that is installed."""
    return failure_table_of(files(__package__).joinpath("errors.csv").read_text(encoding="utf-8"))
