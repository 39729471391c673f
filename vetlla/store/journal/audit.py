"""The audit chain: each record includes the hash of the record before it, so that a change or a gap shows.

A chain alone cannot show that its own end was cut off together with the counter of records. To prove that too, an
engineer keeps the head elsewhere: ``vetlla audit verify`` prints it, and compares it with ``--expect``.

Values are hashed as ``ascii()`` of their tuple writes them. So text and numbers differ, and so do empty and absent
values. No text can look as if the next field began within it, and all versions of Python and Unicode agree.
"""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Self

from vetlla.domain.errors import UsageError
from vetlla.store.journal.audit_comparison import PAGE, AuditComparison, detail_of
from vetlla.store.journal.digest_ranges import InForce, ranges_of
from vetlla.store.journal.numbers import numbers_of
from vetlla.store.journal.rows import SIGNAL_COLUMNS, digest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Generator, Iterable, Iterator

    from vetlla.store.journal.audit_comparison import Read
    from vetlla.store.journal.batch import Entry
    from vetlla.store.journal.rows import Row

GENESIS = bytes(32)
FLAWS_TOLD = 1_000
"""Most flaws that are reported: every record of an overwritten journal has a flaw, and the first ones say enough."""

PRUNE, ERASE = "prune", "erase"
"""Actions that remove data from signals; their records hold the digests of the remaining rows."""
ERASED = "erased"
"""Action of the record that ends an erasure."""

_EXTENT = """
SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'audit') AS written,
       (SELECT max(id) FROM audit) AS last,
       (SELECT max(id) FROM signals) AS last_signal,
       (SELECT max(id) FROM alarms) AS last_alarm,
       (SELECT max(id) FROM notes) AS last_note
"""
_PAGE = f"""
SELECT id, at_us, actor, action, subject, detail, hash FROM audit WHERE id > ? AND id <= ? ORDER BY id LIMIT {PAGE}
"""  # noqa: S608 - a constant number
_REMOVED = f"""
SELECT id, detail FROM audit INDEXED BY audit_deeds
WHERE action <> 'commit' AND action IN ('{PRUNE}', '{ERASE}') AND id > ? AND id <= ? ORDER BY id LIMIT {PAGE}
"""  # noqa: S608 - constant words and a constant number
_COMMITTED = f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM signals WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608
_RECORD = "SELECT hash FROM audit WHERE id = ?"
_HEAD = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"


class Head(NamedTuple):
    """The end of the chain, or of a part of it."""

    id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.id}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the head that ``vetlla audit verify`` printed. Raises UsageError."""
        number, _, digits = text.partition(":")
        try:
            head = cls(int(number), bytes.fromhex(digits))
        except ValueError:
            head = cls(0, b"")
        if head.id < 1 or len(head.hash) != len(GENESIS):
            raise UsageError(
                f"{text}: is no head of an audit chain", remedy="write it as 1234:9f86d0... (64 hex digits)"
            )
        return head


class Flaw(NamedTuple):
    """A place in the journal that is not as the receiver wrote it."""

    audit_id: int
    what: str


def chain(head: Head, entries: Iterable[Entry]) -> tuple[list[Row], Head]:
    """Return the rows of table ``audit`` that continue the chain, and its new head."""
    rows: list[Row] = []
    for entry in entries:
        detail = json.dumps(entry.detail, ensure_ascii=False, separators=(",", ":"))
        record = (head.id + 1, entry.at_us, entry.actor, entry.action, entry.subject, detail)
        head = Head(record[0], _hash(head.hash, record))
        rows.append((*record, head.hash))
    return rows, head


def _hash(previous: bytes, record: Row) -> bytes:
    return hashlib.sha256(previous + ascii(record).encode("ascii")).digest()


def read_head(connection: sqlite3.Connection) -> Head:
    """Return the end of the chain; the connection must give rows by name."""
    return head_of(lambda sql, values: connection.execute(sql, values).fetchall())


def head_of(read: Read) -> Head:
    """Return the end of the chain."""
    return next((Head(row["id"], row["hash"]) for row in read(_HEAD, ())), Head(0, GENESIS))


def holds(read: Read, head: Head) -> bool:
    """Return True if the chain contains an earlier head, so that nothing up to there was cut or replaced."""
    return any(row["hash"] == head.hash for row in read(_RECORD, (head.id,)))


def verify(read: Read, progress: Callable[[int, int], None] = lambda _, __: None) -> Iterator[Flaw]:
    """Yield every flaw: broken links, missing records; signals, alarms, notes and tests that differ from the records.

    A removal by age or by an erasure is no flaw, because its record says what must remain. Data that is written
    meanwhile is not checked. ``progress`` is called after each page with the records checked so far and in total.
    """
    flaws = _flaws(read, progress)
    yield from islice(flaws, FLAWS_TOLD)
    if more := next(flaws, None):
        yield Flaw(more.audit_id, "there are more flaws from here on: the check ended here")


def link_flaws(read: Read, last: Head) -> Iterator[Flaw]:
    """Yield the broken links of a chain up to its end, for a log that has a table ``audit`` of the same form."""
    (extent,) = read("SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'audit') AS written", ())
    head = Head(0, GENESIS)
    while page := read(_PAGE, (head.id, last.id)):
        for row in page:
            yield from _verify_link(head, tuple(row)[:-1], row["hash"])
            head = Head(row["id"], row["hash"])
    if (extent["written"] or 0) != last.id:
        yield _cut(last.id, extent["written"])


def _cut(last: int, written: int | None) -> Flaw:
    return Flaw(last, f"the chain ends here, but {written} records were written")


def _flaws(read: Read, progress: Callable[[int, int], None]) -> Iterator[Flaw]:
    (extent,) = read(_EXTENT, ())
    last, last_signal = extent["last"] or 0, extent["last_signal"] or 0
    head, covered, removed = Head(0, GENESIS), 0, InForce()
    yield from _read_removals(read, last, removed)
    deeds = AuditComparison(
        read, last_alarm=extent["last_alarm"] or 0, last_note=extent["last_note"] or 0, removed=removed
    )
    while page := read(_PAGE, (head.id, last)):
        for row in page:
            record = tuple(row)[:-1]
            yield from _verify_link(head, record, row["hash"])
            head = Head(row["id"], row["hash"])
            if row["action"] == "commit":
                covered = yield from _verify_commit(read, row, covered, last_signal, removed)
            elif row["action"] in {PRUNE, ERASE}:
                yield from _verify_removal(read, row, covered, removed)
            elif row["action"] == "restore":
                covered = max(covered, numbers_of(row).get("signals", 1) - 1)
            else:
                yield from (Flaw(*flaw) for flaw in deeds.take(row))
        progress(head.id, last)
    if (extent["written"] or 0) != last:
        yield _cut(last, extent["written"])
    if last_signal > covered:
        yield Flaw(last, f"signals {covered + 1} to {last_signal} are covered by no record")
    yield from (Flaw(*flaw) for flaw in deeds.left(last))


def _verify_link(before: Head, record: Row, stored: bytes) -> Iterator[Flaw]:
    number = record[0]
    assert isinstance(number, int)
    if number != before.id + 1:
        yield Flaw(number, f"records {before.id + 1} to {number - 1} are missing")
    if stored != _hash(before.hash, record):
        yield Flaw(number, "its hash does not follow from its content and the record before")


def _read_removals(read: Read, last: int, removed: InForce) -> Iterator[Flaw]:
    """Gather all removals into ``removed``. For each signal the last record counts."""
    after = 0
    while page := read(_REMOVED, (after, last)):
        for row in page:
            after = row["id"]
            removed.put_notes(row["detail"])
            for one in ranges_of(row["detail"]):
                if cut := removed.put(after, one):
                    yield Flaw(after, f"its range {one.first} to {one.last} cuts through {cut.first} to {cut.last}")


def _verify_removal(read: Read, record: sqlite3.Row, covered: int, removed: InForce) -> Iterator[Flaw]:
    """Compare the signals that a removal left with their digest, unless a later removal changed them again."""
    for one in removed.of(record["id"], ranges_of(record["detail"])):
        if one.last > covered:
            yield Flaw(
                record["id"], f"it names signals up to {one.last}, of which only {covered} were committed by then"
            )
        elif _digest_of(read, one.first, one.last) != one.digest:
            yield Flaw(record["id"], f"signals {one.first} to {one.last} are not those that a removal left")


def _digest_of(read: Read, first: int, last: int) -> str:
    pages = (read(_COMMITTED, (start, min(start + PAGE - 1, last))) for start in range(first, last + 1, PAGE))
    return digest(tuple(row) for page in pages for row in page)


def _verify_commit(
    read: Read, record: sqlite3.Row, covered: int, last_signal: int, removed: InForce
) -> Generator[Flaw, None, int]:
    """Compare the signals of a commit with their digest; return the last signal that the records cover so far."""
    match detail_of(record):
        case {"first": int(first), "last": int(last), "digest": str(expected)}:
            if first != covered + 1:
                yield Flaw(record["id"], f"signal {covered + 1} should follow, not {first}")
            gaps = removed.gaps(first, last)
            if gaps and gaps != [(first, last)]:
                yield Flaw(record["id"], f"a removal cuts through signals {first} to {last}")
            elif gaps and _digest_of(read, max(first, 1), min(last, last_signal)) != expected:
                yield Flaw(record["id"], f"signals {first} to {last} are not those that were committed")
            return last
        case _:
            yield Flaw(record["id"], "it does not say which signals were committed")
            return covered
