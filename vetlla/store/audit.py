"""The audit chain: each record carries the hash of the one before, so that a change or a gap shows.

A chain alone cannot show that its own tail was cut together with the counter; an operator who must prove that too keeps
``head`` elsewhere (``vetlla audit verify`` prints it, and takes it back with ``--expect``).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.rows import SIGNAL_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from vetlla.store.batch import Entry
    from vetlla.store.rows import Row

GENESIS = bytes(32)
_SEPARATOR = "\x1f"


class Head(NamedTuple):
    """The end of the chain."""

    id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.id}:{self.hash.hex()}"


class Flaw(NamedTuple):
    """Something in the journal that is not as it was written."""

    audit_id: int
    what: str


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 over whole rows of ``signals`` in the order of ``SIGNAL_COLUMNS``, as hex."""
    hasher = hashlib.sha256()
    for row in rows:
        hasher.update(_SEPARATOR.join(map(str, row)).encode("utf-8", "surrogateescape"))
        hasher.update(b"\x1e")
    return hasher.hexdigest()


def chain(head: Head, entries: Iterable[Entry]) -> tuple[list[Row], Head]:
    """Return the rows of table ``audit`` that continue the chain, and its new head."""
    rows: list[Row] = []
    for entry in entries:
        detail = json.dumps(entry.detail, ensure_ascii=False, separators=(",", ":"))
        number = head.id + 1
        head = Head(number, _hash(head.hash, number, entry.at_us, entry.actor, entry.action, entry.subject, detail))
        rows.append((number, entry.at_us, entry.actor, entry.action, entry.subject, detail, head.hash))
    return rows, head


def _hash(previous: bytes, *fields: str | int) -> bytes:
    return hashlib.sha256(previous + _SEPARATOR.join(map(str, fields)).encode()).digest()


def read_head(connection: sqlite3.Connection) -> Head:
    """Return the end of the chain as stored."""
    row = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return Head(row[0], row[1]) if row else Head(0, GENESIS)


def verify(connection: sqlite3.Connection, progress: Callable[[int], None] = lambda _: None) -> Iterator[Flaw]:
    """Yield every flaw: broken links, missing records, signals that are not those that were committed.

    ``progress`` is called with the number of records checked so far, every thousand.
    """
    previous = Head(0, GENESIS)
    covered = 0
    query = "SELECT id, at_us, actor, action, subject, detail, hash FROM audit ORDER BY id"
    for number, at_us, actor, action, subject, detail, stored in connection.execute(query):
        if number != previous.id + 1:
            yield Flaw(number, f"records {previous.id + 1} to {number - 1} are missing")
        if stored != _hash(previous.hash, number, at_us, actor, action, subject, detail):
            yield Flaw(number, "its hash does not follow from its content and the record before")
        previous = Head(number, stored)
        if action == "commit":
            fields = json.loads(detail)
            yield from _verify_commit(connection, number, fields, covered)
            covered = fields["last"]
        if number % 1000 == 0:
            progress(number)
    yield from _verify_tail(connection, previous, covered)


def _verify_commit(
    connection: sqlite3.Connection, number: int, fields: dict[str, object], covered: int
) -> Iterator[Flaw]:
    first, last = fields["first"], fields["last"]
    if first != covered + 1:
        yield Flaw(number, f"signals {covered + 1} to {first} are covered by no record")
    rows = connection.execute(
        f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM signals WHERE id BETWEEN ? AND ? ORDER BY id",  # noqa: S608
        (first, last),
    )
    if digest(tuple(row) for row in rows) != fields["digest"]:
        yield Flaw(number, f"signals {first} to {last} are not those that were committed")


def _verify_tail(connection: sqlite3.Connection, head: Head, covered: int) -> Iterator[Flaw]:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    if row and row[0] != head.id:
        yield Flaw(head.id, f"the chain ends here, but {row[0]} records were written")
    (beyond,) = connection.execute("SELECT count(*) FROM signals WHERE id > ?", (covered,)).fetchone()
    if beyond:
        yield Flaw(head.id, f"{beyond} signals after {covered} are covered by no record")
