"""Reads the rows of a file of appointments, CSV or XLSX, for the source ``AppointmentFiles``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.errors import UsageError
from vetlla.tables.cells import Broken
from vetlla.tables.source import Encoding, opened

if TYPE_CHECKING:
    from pathlib import Path


def appointment_rows(file: Path, encoding: Encoding | None = None) -> list[dict[str, Any]]:
    """Return the rows of a file by the names of its heading. Raises UsageError and OSError.

    ``encoding`` counts for a text without a byte order mark; UTF-8 if none is given.

    A row that cannot be read is an error of the whole file: it may be an appointment, and a missing appointment counts
    as cancelled.
    """
    with opened(file, what="appointments", encoding=encoding) as table:
        rows: list[dict[str, Any]] = []
        for number, row in table.rows:
            if isinstance(row, Broken):
                raise UsageError(f"{file}: row {number}: {row.reason}", remedy="correct it, and export again")
            rows.append(dict(zip(table.heading, row, strict=False)))
        return rows
