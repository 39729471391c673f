"""Erases a home that left: its reports and the texts about it are removed, and what the contract counts stays.

A signal keeps its number, kind, priority, stamps and alarm, and an alarm its stamps, *t2*, *t3* and outcome, but
neither names a home. The work is done in small steps like those of ``retention``, each with its audit record. So an
interrupted erasure goes on where it stopped, and the last record counts all of it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from vetlla.domain.clock import MINUTE_US, iso
from vetlla.domain.errors import UsageError
from vetlla.store.journal.audit import ERASE, ERASED
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.digest_ranges import as_detail
from vetlla.store.journal.retention import ROWS_PER_STEP, Step, notes_of
from vetlla.store.journal.rewriting import Rewriting
from vetlla.store.journal.rows import SIGNAL_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vetlla.domain.clock import Clock
    from vetlla.domain.removal import Erasure, ProofFields
    from vetlla.store.journal.audit_comparison import Read
    from vetlla.store.journal.journal import Journal
    from vetlla.store.journal.rows import Row, SqlValue

SCANNED_PER_STEP = 10_000
"""Rows that one step scans where no index finds a home."""

EMPTIED: Mapping[str, SqlValue] = {
    "peer": "", "receiver": "", "line": "", "account": "", "sequence": "", "home": "", "code": "", "device": "",
    "area": "", "text": "", "occurred_us": None, "sent_us": None, "more": None, "raw": b"", "identity": b"",
    "sealed_with": "",
}  # fmt: skip
"""Columns of a signal that say something about a home or its people, each with its value after the erasure."""
_AT = {SIGNAL_COLUMNS.index(name): value for name, value in EMPTIED.items()}


# --- what an erasure would do -----------------------------------------------------------------------------------------


def refuse_early(read: Read, erasure: Erasure, now_us: int, window_us: int) -> None:
    """Raise UsageError while a home has an open alarm or still reports.

    An alarm with signals of the home counts even if the alarm names another home: several callers may share it, or its
    caller was registered since.
    """
    found = [
        *read(_SIGNALS_OF.format(_marks(erasure.all_accounts)), (*erasure.all_accounts, erasure.home)),
        *read(_OPEN_OF, (erasure.home,)),
        *read(_CLOSED_OF, (now_us - window_us, erasure.home)),
    ]
    if alarms := [row["open"] for row in found if row["open"]]:
        raise UsageError(
            f"home {erasure.home} has an open alarm: {min(alarms)}",
            remedy=f"close it first: vetlla queue show {min(alarms)}",
        )
    last_us = max(row["last_us"] or 0 for row in found)
    if last_us > now_us - window_us:
        minutes = (last_us + window_us - now_us) // MINUTE_US + 1
        raise UsageError(
            f"home {erasure.home} reported, or its alarm was closed, a short while ago",
            remedy=f"take its terminal out of service, and try again in {minutes} min",
        )


_SIGNALS_OF = """
SELECT min(CASE WHEN a.state <> 'closed' THEN a.id END) AS open,
       max(max(s.received_us, coalesce(a.closed_us, 0))) AS last_us
FROM signals AS s INDEXED BY signals_by_account LEFT JOIN alarms AS a ON a.id = s.alarm_id
WHERE s.account IN ({}) AND s.home = ?
"""
_OPEN_OF = (
    "SELECT min(id) AS open, 0 AS last_us FROM alarms INDEXED BY alarms_open WHERE state <> 'closed' AND home = ?"
)
_CLOSED_OF = """
SELECT NULL AS open, max(closed_us) AS last_us FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ? AND home = ?
"""


class Said(NamedTuple):
    """A summary of the signals of a home."""

    accounts: frozenset[str]
    """All accounts under which the home ever reported, whatever the registry says of them now."""
    counts: Mapping[str, int]


_SAID = """
SELECT account, count(*) AS signals, sum(raw <> x'') AS raw,
       coalesce(sum(json_type(more, '$.position') = 'object'), 0) AS positions
FROM signals WHERE id > ? AND id <= ? AND home = ? GROUP BY account COLLATE BINARY
"""


def look_through(read: Read, home: str, progress: Callable[[int, int], None] = lambda _, __: None) -> Said:
    """Return a summary of a home's signals. All signals are scanned, because no index finds those of a home."""
    accounts, counts = set[str](), Counter[str]()
    (extent,) = read("SELECT coalesce(max(id), 0) AS last FROM signals", ())
    for after in range(0, extent["last"], SCANNED_PER_STEP):
        for row in read(_SAID, (after, after + SCANNED_PER_STEP, home)):
            accounts.add(row["account"])
            counts.update({name: row[name] for name in ("signals", "raw", "positions")})
        progress(after, extent["last"])
    return Said(frozenset(accounts), counts)


def count(read: Read, erasure: Erasure, said: Said) -> dict[str, int]:
    """Return how many rows an erasure would empty or remove."""
    found = Counter(said.counts)
    for name, sql, values in _tables(erasure):
        (extent,) = read(f"SELECT coalesce(max(id), 0) AS last FROM {name}", ())  # noqa: S608 - ours
        for after in range(0, extent["last"], SCANNED_PER_STEP):
            (row,) = read(
                f"SELECT count(*) AS found FROM {name} WHERE id > ? AND id <= ? AND {sql}",  # noqa: S608 - ours
                (after, after + SCANNED_PER_STEP, *values),
            )
            found[name] += row["found"]
    notes = "SELECT count(*) AS notes FROM notes WHERE alarm_id IN (SELECT id FROM alarms WHERE home = ?)"
    (row,) = read(notes, (erasure.home,))
    return {name: found[name] for name in COUNTED} | {"notes": row["notes"]}


def is_unfinished(read: Read, erasure: Erasure) -> bool:
    """Return True if an erasure of this home was begun and its end was not recorded."""
    rows = read(
        "SELECT action FROM audit INDEXED BY audit_deeds WHERE action <> 'commit' AND action IN (?, ?) AND subject = ?"
        " ORDER BY id DESC LIMIT 1",
        (ERASE, ERASED, erasure.subject),
    )
    return any(row["action"] == ERASE for row in rows)


COUNTED = ("signals", "raw", "positions", "alarms", "notes", "rejects")


def _tables(erasure: Erasure) -> Iterator[tuple[str, str, tuple[SqlValue, ...]]]:
    """Yield the tables without an index by home, with the SQL condition and values that select the home's rows."""
    yield "alarms", "home = ?", (erasure.home,)
    if erasure.accounts:
        yield "rejects", f"account IN ({_marks(erasure.accounts)})", erasure.accounts


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


# --- the steps --------------------------------------------------------------------------------------------------------


def record_of(read: Read, number: int, digest: bytes) -> sqlite3.Row | None:
    """Return the audit record with this number and hash, or None."""
    rows = read("SELECT at_us, actor, action, subject, detail FROM audit WHERE id = ? AND hash = ?", (number, digest))
    return next(iter(rows), None)


def alarms_since(read: Read, home: str) -> int:
    """Return the number of alarms that name a home: after its erasure there are only those that came later."""
    return int(read("SELECT count(*) AS alarms FROM alarms WHERE home = ?", (home,))[0]["alarms"])


class Proof(NamedTuple):
    """The record that ends an erasure."""

    record: int
    head: str
    entry: Entry
    log_emptied: bool
    """False if a reader, such as a backup, still needed the log; later commits then overwrite the removed data."""

    def told(self) -> ProofFields:
        """Return the fields that a certificate shows."""
        entry = self.entry
        proof = {
            "record": self.record,
            "head": self.head,
            "by": entry.actor,
            "ended": iso(entry.at_us),
            "log_emptied": self.log_emptied,
            **entry.detail,
        }
        return cast("ProofFields", proof)


def steps_of(
    connection: sqlite3.Connection, erasure: Erasure, registry: Mapping[str, int], clock: Clock, window_us: int
) -> Iterator[Step]:
    """Yield the steps of an erasure. The caller must commit each step before it asks for the next one.

    Reports that come meanwhile are not touched. ``registry`` counts the rows that are removed there at the same time,
    for the audit. The first step raises UsageError if the home has an open alarm, or reported within ``window_us``.
    """
    # This runs in the transaction of the first step, so a report that comes later has a number above the last ones.
    refuse_early(lambda sql, values: connection.execute(sql, values).fetchall(), erasure, clock.now().utc_us, window_us)
    last = {table: _last(connection, table) for table in ("signals", "alarms", "rejects")}
    yield Step("begun", 0, None, [_entry(erasure, clock, {}, registry=dict(registry))])
    for account in erasure.all_accounts:
        yield from _signals(connection, erasure, account, last["signals"], clock)
    yield from _alarms(connection, erasure, last["alarms"], clock)
    if erasure.accounts:
        yield from _rejects(connection, erasure, last["rejects"], clock)
        yield _small(connection, erasure, clock)


def finish(journal: Journal, erasure: Erasure, clock: Clock) -> Proof:
    """Write the record that ends an erasure and counts all of it; empty the log, which may hold old pages."""

    def last() -> Iterator[Step]:
        began_us, done = _so_far(journal.connection, erasure)
        now_us = clock.now().utc_us
        left = _left(journal.connection, erasure)
        detail: dict[str, object] = {"began": iso(began_us or now_us), "destroyed": done, "left": left}
        yield Step(ERASED, 0, None, [Entry(now_us, erasure.by, ERASED, erasure.subject, detail)])

    step = journal.take(last())
    assert step is not None
    return Proof(journal.head.id, str(journal.head), step.entries[0], journal.empty_log())


def _left(connection: sqlite3.Connection, erasure: Erasure) -> int:
    """Return how many signals of the home remain: they came meanwhile, or were changed by hand."""
    marks = _marks(erasure.all_accounts)
    (left,) = connection.execute(
        f"SELECT count(*) FROM signals INDEXED BY signals_by_account WHERE account IN ({marks}) AND home = ?",  # noqa: S608
        (*erasure.all_accounts, erasure.home),
    ).fetchone()
    return int(left)


_STEPS = """
SELECT at_us, detail FROM audit INDEXED BY audit_deeds
WHERE action <> 'commit' AND action = :step AND subject = :subject AND id > (
    SELECT coalesce(max(id), 0) FROM audit INDEXED BY audit_deeds
    WHERE action <> 'commit' AND action = :end AND subject = :subject
) ORDER BY id
"""


def _so_far(connection: sqlite3.Connection, erasure: Erasure) -> tuple[int | None, dict[str, int]]:
    """Return when the erasure began, and the counts of all its steps, including those before an interruption.

    An earlier erasure of the same home that was completed does not count.
    """
    done, began_us = Counter[str](), None
    registry: dict[str, int] = {}
    rows = connection.execute(_STEPS, {"subject": erasure.subject, "step": ERASE, "end": ERASED})
    for row in rows:
        began_us = began_us or row["at_us"]
        detail = json.loads(row["detail"])
        done.update(detail.get("count", {}))
        # Take the greatest count, because each attempt announces its own and a second one finds less.
        registry = {
            name: max(count, registry.get(name, 0))
            for name, count in {**registry, **detail.get("registry", {})}.items()
        }
    return began_us, {name: done[name] for name in (*COUNTED, "tests", "pauses")} | registry


def _signals(connection: sqlite3.Connection, erasure: Erasure, account: str, last: int, clock: Clock) -> Iterator[Step]:
    rewriting, at = Rewriting(connection, tuple(EMPTIED)), 0
    while True:
        rows = connection.execute(
            "SELECT id, raw <> x'' AS raw, json_type(more, '$.position') = 'object' AS positions"
            " FROM signals INDEXED BY signals_by_account WHERE account = ? AND home = ?"
            " AND id > ? AND id <= ? ORDER BY id LIMIT ?",
            (account, erasure.home, at, last, ROWS_PER_STEP),
        ).fetchall()
        if not rows:
            return
        done = rewriting.apply([row["id"] for row in rows], without_person)
        at = done.done[-1]
        alone = done.refused
        mine = [row for row in rows if row["id"] <= at and not any(one.first <= row["id"] <= one.last for one in alone)]
        connection.executemany("UPDATE duplicates SET peer = '' WHERE signal_id = ?", [(row["id"],) for row in mine])
        counts = {
            "signals": done.changed,
            "raw": sum(row["raw"] for row in mine),
            "positions": sum(row["positions"] or 0 for row in mine),
        }
        entries = [_entry(erasure, clock, counts, ranges=as_detail(done.ranges))] if done.ranges else []
        yield Step("signals", done.changed, None, entries, done.ranges, done.refused)


def without_person(row: Row) -> Row:
    """Return a signal's row without the data about a home or its people."""
    return tuple(_AT.get(at, value) for at, value in enumerate(row))


def _alarms(connection: sqlite3.Connection, erasure: Erasure, upto: int, clock: Clock) -> Iterator[Step]:
    for first, last in _spans(upto):
        alarms = connection.execute(
            "SELECT id FROM alarms WHERE id BETWEEN ? AND ? AND home = ? AND state = 'closed'",
            (first, last, erasure.home),
        ).fetchall()
        for start in range(0, len(alarms), ROWS_PER_STEP):
            some = [(row["id"],) for row in alarms[start : start + ROWS_PER_STEP]]
            notes = [
                note
                for values in some
                for note in connection.execute("SELECT alarm_id, at_us FROM notes WHERE alarm_id = ?", values)
            ]
            connection.executemany("DELETE FROM notes WHERE alarm_id = ?", some)
            connection.executemany(
                "UPDATE alarms SET home = '', account = '', why = '', escalated_why = '' WHERE id = ?", some
            )
            counts = {"alarms": len(some), "notes": len(notes)}
            yield Step(
                "alarms",
                len(some),
                None,
                [
                    _entry(
                        erasure, clock, counts, notes_of=notes_of((note["alarm_id"], note["at_us"]) for note in notes)
                    )
                ],
            )


def _rejects(connection: sqlite3.Connection, erasure: Erasure, upto: int, clock: Clock) -> Iterator[Step]:
    accounts = _marks(erasure.accounts)
    for first, last in _spans(upto):
        rejects = connection.execute(
            f"SELECT id FROM rejects WHERE id BETWEEN ? AND ? AND account IN ({accounts})",  # noqa: S608 - marks
            (first, last, *erasure.accounts),
        ).fetchall()
        for start in range(0, len(rejects), ROWS_PER_STEP):
            some = [(row["id"],) for row in rejects[start : start + ROWS_PER_STEP]]
            connection.executemany(
                "UPDATE rejects SET peer = '', receiver = '', line = '', account = '', text = '', raw = x''"
                " WHERE id = ?",
                some,
            )
            yield Step("rejects", len(some), None, [_entry(erasure, clock, {"rejects": len(some)})])


def _last(connection: sqlite3.Connection, table: str) -> int:
    (last,) = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()  # noqa: S608 - ours
    return int(last)


def _spans(upto: int) -> Iterator[tuple[int, int]]:
    for first in range(1, upto + 1, SCANNED_PER_STEP):
        yield first, min(first + SCANNED_PER_STEP - 1, upto)


def _small(connection: sqlite3.Connection, erasure: Erasure, clock: Clock) -> Step:
    """Remove the tests and pauses of the accounts, with their reasons."""
    accounts = _marks(erasure.accounts)
    tests = connection.execute(f"DELETE FROM on_test WHERE account IN ({accounts})", erasure.accounts).rowcount  # noqa: S608
    pauses = connection.execute(
        f"DELETE FROM pauses WHERE unit IN (SELECT id FROM units WHERE account IN ({accounts}))",  # noqa: S608 - marks
        erasure.accounts,
    ).rowcount
    counts = {"tests": tests, "pauses": pauses}
    return Step("others", tests + pauses, None, [_entry(erasure, clock, counts)] if tests + pauses else [])


def _entry(erasure: Erasure, clock: Clock, counts: Mapping[str, int], **more: Any) -> Entry:  # noqa: ANN401 - JSON
    detail: dict[str, object] = {"count": dict(counts), **more}
    return Entry(clock.now().utc_us, erasure.by, ERASE, erasure.subject, detail)
