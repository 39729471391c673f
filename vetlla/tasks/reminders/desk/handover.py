"""The hand-over at the end of a contract: all that is stored, in files that any program can read.

Each table is a file of JSON lines. ``manifest.json`` has the number of rows and the SHA-256 of each file; it is written
last, so a folder without it is not complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla import __version__
from vetlla.domain.clock import iso, to_us
from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_file
from vetlla.store.reminders import audit, export
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.ownership import create, make_directory, sync_directory

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

MANIFEST: Final = "manifest.json"
SNAPSHOT: Final = ".snapshot.db"
FORM: Final = 1
"""Version of the form of these files."""
PRIVATE: Final = 0o600
"""The files have telephone numbers and what citizens wrote."""


class HandedTable(NamedTuple):
    """One file of the hand-over."""

    table: str
    file: str
    rows: int
    sha256: str


def hand_over(db: sqlite3.Connection, folder: Path, by: str, now: datetime) -> list[HandedTable]:
    """Write every table into a new folder, as it is at one moment. Raises UsageError if the folder has files.

    The audit has it from its beginning. The service works on meanwhile.
    """
    _make(folder)
    with atomic(db):  # before the first row leaves the database
        audit.record(db, now, by, "handed over", subject="all tables")
    with export.snapshot(db, folder / SNAPSHOT) as copy:
        tables = [_table(folder, table, export.rows_of(copy, table)) for table in export.TABLES]
    manifest = {
        "form": FORM,
        "made": iso(to_us(now)),
        "by": by,
        "program": f"vetlla {__version__}",
        "times": "fields that end in _us: microseconds UTC since 1970-01-01",
        "bytes": "hexadecimal digits",
        "tables": [one._asdict() for one in tables],
    }
    _write(folder / MANIFEST, iter([json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"]))
    sync_directory(folder)
    return tables


def read_rows(folder: Path, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of a hand-over. Raises OSError, and ValueError for a line that is no row."""
    with open_file(folder / f"{table}.ndjson") as file:
        for line in file:
            yield json.loads(line)


def faults(folder: Path) -> list[str]:
    """Return what is wrong with a hand-over: files that are missing, were changed, or have other numbers of rows.

    Raises UsageError if there is no manifest to compare with.
    """
    try:
        with open_file(folder / MANIFEST) as file:
            manifest = json.load(file)
        tables = [HandedTable(**one) for one in manifest["tables"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder / MANIFEST}: no manifest of a hand-over: {error}", remedy="export again, into a new folder"
        ) from error
    missing = sorted(set(export.TABLES) - {one.table for one in tables})
    found = [f"{name}: the manifest does not have it" for name in missing]
    return found + [fault for one in tables if (fault := _fault(folder, one))]


def _fault(folder: Path, one: HandedTable) -> str:
    """Return what is wrong with one file; "" if nothing is."""
    digest, rows = hashlib.sha256(), 0
    try:
        with open_file(folder / one.file) as file:
            for line in file:
                digest.update(line)
                rows += 1
    except OSError as error:
        return f"{one.file}: {error.strerror}"
    if digest.hexdigest() != one.sha256:
        return f"{one.file}: was changed after it was written"
    return "" if rows == one.rows else f"{one.file}: has {rows} rows, and the manifest says {one.rows}"


def _make(folder: Path) -> None:
    if folder.is_dir():
        if any(folder.iterdir()):
            raise UsageError(f"{folder}: has files already", remedy="name a new folder with --out")
        return
    make_directory(folder, 0o700)


def _table(folder: Path, table: str, rows: Iterator[dict[str, Any]]) -> HandedTable:
    name = f"{table}.ndjson"
    count, digest = _write(folder / name, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return HandedTable(table, name, count, digest)


def _write(path: Path, lines: Iterator[str]) -> tuple[int, str]:
    """Write lines durably; return how many there were and their digest."""
    count, digest = 0, hashlib.sha256()
    with os.fdopen(create(path, PRIVATE), "wb") as out:
        for line in lines:
            data = line.encode()
            digest.update(data)
            out.write(data)
            count += 1
        out.flush()
        os.fsync(out.fileno())
    return count, digest.hexdigest()
