"""Meta's error codes as data: ``errors.csv`` beside this file, which an office may replace."""

from __future__ import annotations

from importlib.resources import files

from vetlla.domain.channel_errors import ErrorTable, error_table_of


def error_table() -> ErrorTable:
    """Return the table that is installed."""
    return error_table_of(files(__package__).joinpath("errors.csv").read_text(encoding="utf-8"))
