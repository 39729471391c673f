"""Keeps closed months. Their files are in the registry and not in a folder beside it.

So a close is one transaction, of which a killed process leaves nothing; every backup has it; and triggers keep it from
being changed. The files are compressed and bounded, because a large change copies a small registry in memory.
"""

from __future__ import annotations

import zlib
from datetime import date
from typing import TYPE_CHECKING, Final

from vetlla.domain.closing import ClosedFile, ClosedInput, Closing, FileRole
from vetlla.domain.errors import StoreError, UsageError

if TYPE_CHECKING:
    import sqlite3

FILE_AT_MOST: Final = 64 << 20
"""Bytes of one file before compression. A month of results with 10,000 listed breaches of each level has 60 MiB."""
KEPT_AT_MOST: Final = 32 << 20
"""Bytes of all files of a close after compression: a report with its charts has 1 MiB, and results have 5 MiB."""
LEVEL: Final = 6
_COLUMNS: Final = 'id, month, version, known_us, "by", reason, note, program, seal'


def last_seal(connection: sqlite3.Connection) -> str:
    """Return the seal of the last closing; empty if no month was closed."""
    row = connection.execute("SELECT seal FROM closed_months ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else ""


def last_known_us(connection: sqlite3.Connection) -> int:
    """Return the last time as of which a month was closed; 0 if none was."""
    (found,) = connection.execute("SELECT coalesce(max(known_us), 0) FROM closed_months").fetchone()
    return int(found)


def versions(connection: sqlite3.Connection, month: date) -> int:
    """Return how many versions of a closed month there are."""
    sql = "SELECT count(*) FROM closed_months WHERE month = ?"
    return int(connection.execute(sql, (f"{month:%Y-%m}",)).fetchone()[0])


def refuse_large(name: str, size: int, at_most: int = FILE_AT_MOST) -> None:
    """Raise UsageError for a file that is too large to be kept; ``size`` is in bytes, or one more than the most."""
    if size > at_most:
        raise UsageError(
            f"{name} has more than {at_most} bytes, and a closed month keeps at most {at_most} of a file",
            remedy="keep it elsewhere, and write its SHA-256 into the note",
        )


def add(connection: sqlite3.Connection, closing: Closing, at_most: int = KEPT_AT_MOST) -> None:
    """Keep a closing, within the caller's transaction. Raises UsageError if its files are too large."""
    for file in closing.files:
        refuse_large(file.name, len(file.content))
    packed = [(file, zlib.compress(file.content, LEVEL)) for file in closing.files]
    if (size := sum(len(content) for _, content in packed)) > at_most:
        raise UsageError(
            f"the files have {size} bytes after compression, and a closed month keeps at most {at_most}",
            remedy="give fewer documents, or smaller ones",
        )
    values = (
        closing.label, closing.version, closing.known_us, closing.by, closing.reason, closing.note, closing.program,
        closing.seal,
    )  # fmt: skip
    number = connection.execute(
        'INSERT INTO closed_months (month, version, known_us, "by", reason, note, program, seal)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    ).lastrowid
    connection.executemany("INSERT INTO closed_inputs VALUES (?, ?, ?, ?)", [(number, *one) for one in closing.inputs])
    connection.executemany(
        "INSERT INTO closed_files (closing, role, name, media, size, digest, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (number, file.role.value, file.name, file.media, len(file.content), file.digest, content)
            for file, content in packed
        ],
    )


def closings(connection: sqlite3.Connection, month: date | None = None) -> list[Closing]:
    """Return the closings of a month, or of all months, in the order in which they were made; without their files.

    Their seal is the kept one. Raises StoreError if a month or a time of one is none, because it was changed by hand.
    """
    rows = connection.execute(f"SELECT {_COLUMNS} FROM closed_months ORDER BY id").fetchall()  # noqa: S608 - constants
    found: list[Closing] = []
    before = ""
    for number, label, version, known_us, by, reason, note, program, seal in rows:
        if month is None or label == f"{month:%Y-%m}":
            closing = Closing(
                month=_month_of(label),
                version=_whole(version, label),
                known_us=_whole(known_us, label),
                by=by,
                reason=reason,
                note=note,
                program=program,
                inputs=_inputs(connection, number),
                files=(),
                before=before,
                seal=seal,
            )
            found.append(closing)
        before = seal
    return found


def files(connection: sqlite3.Connection, closing: Closing) -> tuple[ClosedFile, ...]:
    """Return the files of a closing by role and name. Raises StoreError if the content of one is damaged."""
    rows = connection.execute(
        "SELECT role, f.name, media, size, digest, content FROM closed_files AS f"
        " JOIN closed_months AS m ON m.id = f.closing WHERE month = ? AND version = ? ORDER BY role, f.name",
        (closing.label, closing.version),
    )
    return tuple(
        ClosedFile(FileRole(role), name, media, _unpacked(content, size), digest)
        for role, name, media, size, digest, content in rows
    )


def result(connection: sqlite3.Connection, closing: Closing, name: str) -> ClosedFile | None:
    """Return a result of a closing; None if it keeps none of this name."""
    row = connection.execute(
        "SELECT f.name, media, content, size, digest FROM closed_files AS f JOIN closed_months AS m ON m.id = f.closing"
        " WHERE month = ? AND version = ? AND role = ? AND f.name = ?",
        (closing.label, closing.version, FileRole.RESULT.value, name),
    ).fetchone()
    if row is None:
        return None
    kept, media, content, size, digest = row
    return ClosedFile(FileRole.RESULT, kept, media, _unpacked(content, size), digest)


def _inputs(connection: sqlite3.Connection, number: int) -> tuple[ClosedInput, ...]:
    rows = connection.execute("SELECT name, rows, digest FROM closed_inputs WHERE closing = ? ORDER BY name", (number,))
    return tuple(ClosedInput(*row) for row in rows)


def _month_of(label: str) -> date:
    try:
        return date.fromisoformat(f"{label}-01")
    except ValueError as error:
        raise _changed(f"a closed month is called {label!r}") from error


def _whole(value: object, label: str) -> int:
    if isinstance(value, int):
        return value
    raise _changed(f"the closed month {label} has {value!r} where a number belongs")


def _changed(what: str) -> StoreError:
    return StoreError(f"{what}: it was changed by hand", remedy="restore a backup: vetlla db restore")


def _unpacked(content: object, size: object) -> bytes:
    """Return the content of a file; a damaged one gives what can be read of it, so that its digest shows the damage."""
    if not isinstance(content, bytes) or not isinstance(size, int):
        return b""
    reader = zlib.decompressobj()
    try:
        return reader.decompress(content, max(0, min(size, FILE_AT_MOST)) + 1)
    except zlib.error:
        return b""
