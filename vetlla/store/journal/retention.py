"""Removes what is too old from the journal: a generator of small steps, each for one transaction of the writer.

Numbers grow with time, so each kind of removal walks through them once and remembers how far it has come. The walk ends
at the first row that is young enough, whatever later stamps say: a report is not old only because the clock was behind
when it came. A stamp in the future, or long before what was removed already, cannot be right and is ignored. Its row is
removed once a later row is too old, and it does not end the walk.

Rows that an operator still works with are held back: signals of an open alarm, of an alarm whose emergency is not over,
and of the earlier alarms that such an alarm continues. A signal that a configured sink has not passed ends the walk.
"""

from __future__ import annotations

import json
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.clock import DAY_US
from vetlla.domain.removal import Terms, What
from vetlla.store.journal.audit import PRUNE
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.digest_ranges import as_detail
from vetlla.store.journal.rewriting import Rewriting, Rewritten
from vetlla.store.journal.rows import SIGNAL_COLUMNS
from vetlla.store.journal.sink_rows import passed_by_all

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vetlla.domain.clock import Clock
    from vetlla.store.journal.audit_comparison import Read
    from vetlla.store.journal.digest_ranges import Range
    from vetlla.store.journal.rows import Row, SqlValue

ROWS_PER_STEP = 64
"""Most rows that one step removes or empties: some 5 ms of the writer's time, so that a report that comes meanwhile
waits no longer than for another commit. One step a second, under load all day, makes five million rows a day."""
LOOKED_PER_STEP = 500
"""Rows that one step reads to find them: some 2 ms."""
CLOCK_AHEAD_US = 7 * DAY_US
"""How far the wall clock may be ahead of the last round's instant plus the time since. Otherwise a clock that is set to
another year could empty the journal overnight. A receiver that was off for longer catches up in the rounds that
follow."""
CLOCK_BEHIND_US = DAY_US
"""How far a stamp may be before a stamp that was removed earlier and still be believed. Reports are stored in nearly
the order in which they come, and clocks are corrected by seconds."""
CLOCK = "clock"

PLACE_DETAILS = ("cells", "mac", "networks", "place", "wifi")
"""Details in which decoders report where a device is, besides its position."""
PLACE_MEASUREMENTS = ("course", "odometer_m", "speed_kmh")

_MORE, _RAW, _ALARM, _ID = (SIGNAL_COLUMNS.index(name) for name in ("more", "raw", "alarm_id", "id"))


class Step(NamedTuple):
    """The result of one transaction of a removal."""

    what: str
    removed: int
    upto_us: int | None
    """Stamp of the last row dealt with, without those stamped in the future; None if there was no such row."""
    entries: Sequence[Entry]
    ranges: Sequence[Range] = ()
    """Ranges with the digests that the first entry names."""
    refused: Sequence[Range] = ()
    """Signals that were not touched, because they are not those that were committed."""


# --- the clock --------------------------------------------------------------------------------------------------------


def believed_us(connection: sqlite3.Connection, wall_us: int, running_us: int) -> int:
    """Return the instant that a round uses: that of the wall clock, unless it is too far ahead of the known time.

    ``running_us`` is the time since the last round, or since this run began, by the monotonic clock.
    """
    return believed_by(lambda sql, values: connection.execute(sql, values).fetchall(), wall_us, running_us)


def believed_by(read: Read, wall_us: int, running_us: int = 0) -> int:
    """Return the same instant as ``believed_us``, for a reader."""
    # Before the first round the known time is that of the newest report.
    (row,) = read(
        "SELECT coalesce((SELECT value FROM retention WHERE name = ?),"
        " (SELECT received_us FROM signals ORDER BY id DESC LIMIT 1)) AS known",
        (CLOCK,),
    )
    known = row["known"]
    return wall_us if known is None else min(wall_us, known + CLOCK_AHEAD_US + running_us)


def _value(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT value FROM retention WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row["value"])


def _put(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("INSERT OR REPLACE INTO retention VALUES (?, ?)", (name, value))


# --- a round ----------------------------------------------------------------------------------------------------------


class _Round(NamedTuple):
    """Values that the parts of a round share."""

    connection: sqlite3.Connection
    terms: Terms
    held: frozenset[int]
    """Alarms that operators still work with."""
    clock: Clock

    def read(self, sql: str, values: Sequence[SqlValue]) -> list[sqlite3.Row]:
        """Return the rows of a query, as ``Archive.read`` does for a reader."""
        return self.connection.execute(sql, values).fetchall()

    def upto_us(self, what: What, rows: Sequence[sqlite3.Row]) -> int | None:
        """Remember the stamps of rows that were dealt with; return the last stamp that is too old, or None."""
        before_us = self.terms.before_us(what)
        stamps: list[int] = [row["stamp_us"] for row in rows if row["stamp_us"] < before_us]
        if not stamps:
            return None
        _put(self.connection, latest_removed(what), max(_known_us(self.read, what, before_us), *stamps))
        return stamps[-1]

    def entry(self, subject: str, what: What, count: int, **more: object) -> Entry:
        """Return the audit record of a step."""
        detail: dict[str, object] = {"what": what.value, "count": count, **more}
        return Entry(self.clock.now().utc_us, RECEIVER, PRUNE, subject, detail)


def round_of(connection: sqlite3.Connection, terms: Terms, clock: Clock) -> Iterator[Step]:
    """Yield the steps of a round. The caller must commit each step before it asks for the next one."""
    held = held_alarms(lambda sql, values: connection.execute(sql, values).fetchall(), terms)
    this = _Round(connection, terms, held, clock)
    for what, change, columns in (
        (What.POSITIONS, without_place, ("more", "raw")),
        (What.RAW, without_raw, ("raw",)),
        (What.SIGNALS, lambda _: None, ("raw",)),
    ):
        if what in terms.keep_us:
            walk = _Walk(this, what, Rewriting(connection, columns), change)
            yield from walk.again()
            yield from walk.on()
    for what, table in ((What.NOTES, "notes"), (What.REJECTS, "rejects")):
        if what in terms.keep_us:
            yield from _rows_of(this, what, table)
    _put(connection, CLOCK, terms.now_us)
    yield Step(CLOCK, 0, None, ())


def held_alarms(read: Read, terms: Terms) -> frozenset[int]:
    """Return the alarms that operators still work with: open, just closed, and the earlier ones that these continue."""
    return frozenset(row["id"] for row in read(_HELD, (terms.now_us - terms.emergency_us,)))


_HELD = """
WITH RECURSIVE held (id) AS (
    SELECT id FROM alarms INDEXED BY alarms_open WHERE state <> 'closed'
    UNION SELECT id FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ?
    UNION SELECT a.chained_to FROM alarms AS a JOIN held ON a.id = held.id WHERE a.chained_to IS NOT NULL
) SELECT id FROM held
"""
# The newest row always stays, because the next number follows from it and no number may be used twice.
_SIGNALS = """
SELECT id, received_us AS stamp_us, alarm_id, raw <> x'' AS has_raw, length(raw) AS size, more FROM signals
WHERE id > ? AND id < (SELECT max(id) FROM signals) ORDER BY id LIMIT ?
"""
_NOTES = """
SELECT id, at_us AS stamp_us, alarm_id, length(text) AS size FROM notes
WHERE id > ? AND id < (SELECT max(id) FROM notes) ORDER BY id LIMIT ?
"""
_REJECTS = """
SELECT id, at_us AS stamp_us, NULL AS alarm_id, length(raw) + length(text) AS size FROM rejects
WHERE id > ? AND id < (SELECT max(id) FROM rejects) ORDER BY id LIMIT ?
"""
OLDEST = {
    What.POSITIONS: _SIGNALS,
    What.RAW: _SIGNALS,
    What.SIGNALS: _SIGNALS,
    What.NOTES: _NOTES,
    What.REJECTS: _REJECTS,
}
"""Queries for the rows above a number, in the order in which they were stored."""
_HELD_BACK = """
SELECT h.signal AS id, s.id IS NOT NULL AS is_there, s.alarm_id
FROM held_back AS h LEFT JOIN signals AS s ON s.id = h.signal
WHERE h.what = ? AND h.signal > ? ORDER BY h.signal LIMIT ?
"""


class _Walk:
    """The walk of one kind of removal through the signals."""

    def __init__(self, this: _Round, what: What, rewriting: Rewriting, change: Callable[[Row], Row | None]) -> None:
        self._round = this
        self._what = what
        self._rewriting = rewriting
        self._change = change

    def on(self) -> Iterator[Step]:
        """Yield the steps that go on from where the last round ended."""
        for rows in too_old(self._round.read, self._what, self._round.terms, LOOKED_PER_STEP):
            left = rows
            while left:
                at, step = self._go(left)
                yield step
                left = [row for row in left if row["id"] > at]
            if not rows:
                yield Step(self._what, 0, None, ())

    def _go(self, rows: Sequence[sqlite3.Row]) -> tuple[int, Step]:
        """Deal with as many of these rows as one step may; return the number of the last one, and the step."""
        connection, _, held, _ = self._round
        wanted = list(islice((row for row in rows if has(self._what, row)), ROWS_PER_STEP))
        free = [row["id"] for row in wanted if row["alarm_id"] not in held]
        done = self._rewriting.apply(free, self._change)
        if len(done.done) < len(free):
            at = done.done[-1]
        else:
            at = wanted[-1]["id"] if len(wanted) == ROWS_PER_STEP else rows[-1]["id"]
        kept = [(self._what, row["id"]) for row in wanted if row["id"] <= at and row["alarm_id"] in held]
        connection.executemany("INSERT OR IGNORE INTO held_back VALUES (?, ?)", kept)
        _put(connection, self._what, at)
        return at, self._step(done, self._round.upto_us(self._what, [row for row in rows if row["id"] <= at]))

    def again(self) -> Iterator[Step]:
        """Yield the steps for signals that earlier rounds held back and that no operator works with any longer."""
        connection, _, held, _ = self._round
        at = 0
        while rows := connection.execute(_HELD_BACK, (self._what, at, ROWS_PER_STEP)).fetchall():
            free = [row["id"] for row in rows if row["is_there"] and row["alarm_id"] not in held]
            done = self._rewriting.apply(free, self._change)
            at = rows[-1]["id"] if len(done.done) == len(free) else done.done[-1]
            over = [*done.done, *(row["id"] for row in rows if not row["is_there"])]
            connection.executemany(
                "DELETE FROM held_back WHERE what = ? AND signal = ?", [(self._what, number) for number in over]
            )
            yield self._step(done, None)

    def _step(self, done: Rewritten, upto_us: int | None) -> Step:
        entries = []
        if ranges := done.ranges:
            subject = f"signals {ranges[0].first} to {ranges[-1].last}"
            entries.append(self._round.entry(subject, self._what, done.changed, ranges=as_detail(ranges)))
        return Step(self._what, done.changed, upto_us, entries, ranges, done.refused)


def has(what: What, row: sqlite3.Row) -> bool:
    """Return True if a signal has data of this kind to remove."""
    match what:
        case What.POSITIONS:
            return row["more"] is not None and has_place(row["more"])
        case What.RAW:
            return bool(row["has_raw"])
        case _:
            return True


def too_old(read: Read, what: What, terms: Terms, at_once: int) -> Iterator[list[sqlite3.Row]]:
    """Yield the rows that are too old, in order; an empty list after a read that shows nothing for certain yet.

    A row whose stamp is too old, and can be believed, ends each group of them. Rows that were stored before it are too
    old, whatever their stamps say. ``at_once`` is the number of rows in one read, and in one list.
    """
    before_us = terms.before_us(what)
    latest_us = _known_us(read, what, before_us)
    done = seen = next((row["value"] for row in read(_REMEMBERED, (what,))), 0)
    passed_upto = passed_by_all(read, what, terms)
    while looked := read(OLDEST[what], (seen, at_once)):
        sent = looked if passed_upto is None else [row for row in looked if row["id"] <= passed_upto]
        passed = list(takewhile(lambda row: not before_us <= row["stamp_us"] <= terms.latest_us, sent))
        proven = []
        for row in passed:
            if latest_us - CLOCK_BEHIND_US <= row["stamp_us"] < before_us:
                proven.append(row["id"])
                latest_us = max(latest_us, row["stamp_us"])
        while proven and done < seen and (rows := _between(read, what, done, seen, at_once)):
            yield rows  # their own stamps showed nothing for certain when they were read
            done = rows[-1]["id"]
        yield [row for row in passed if proven and row["id"] <= proven[-1]]
        if len(passed) < len(looked):
            return
        done, seen = (proven[-1] if proven else done), looked[-1]["id"]


def _between(read: Read, what: What, after: int, upto: int, at_once: int) -> list[sqlite3.Row]:
    return [row for row in read(OLDEST[what], (after, at_once)) if row["id"] <= upto]


_REMEMBERED = "SELECT value FROM retention WHERE name = ?"


def latest_removed(what: What) -> str:
    """Return the name under which table ``retention`` keeps the latest stamp that was removed."""
    return f"{what} stamp"


def _known_us(read: Read, what: What, before_us: int) -> int:
    """Return the latest stamp of removed rows; 0 if nothing was removed, or the clock was ahead then."""
    return next((row["value"] for row in read(_REMEMBERED, (latest_removed(what),)) if row["value"] < before_us), 0)


def _rows_of(this: _Round, what: What, table: str) -> Iterator[Step]:
    """Yield the steps that remove notes or rejects, which no digest covers."""
    for rows in too_old(this.read, what, this.terms, ROWS_PER_STEP):
        free = [row for row in rows if row["alarm_id"] not in this.held]
        entries = []
        if free:
            this.connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(row["id"],) for row in free])  # noqa: S608
            notes = [(row["alarm_id"], row["stamp_us"]) for row in free]
            named = {"notes_of": notes_of(notes)} if what is What.NOTES else {}
            entries.append(this.entry(f"{table} {free[0]['id']} to {free[-1]['id']}", what, len(free), **named))
        yield Step(what, len(free), this.upto_us(what, rows), entries)


def notes_of(notes: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Return for each alarm when the last of its removed notes was written, for the audit record.

    ``notes`` gives the alarm of each note, and when it was written.
    """
    last: dict[str, int] = {}
    for number, at_us in notes:
        alarm = str(number)
        last[alarm] = max(last.get(alarm, 0), at_us)
    return last


# --- what is removed from one signal ----------------------------------------------------------------------------------


def has_place(more: str) -> bool:
    """Return True if a signal's additional data shows where its device was."""
    data = json.loads(more)
    return bool(
        data.get("position")
        or any(name in data.get("details", ()) for name in PLACE_DETAILS)
        or any(name in data.get("measurements", ()) for name in PLACE_MEASUREMENTS)
    )


def without_place(row: Row) -> Row:
    """Return a signal's row without the device's place, and without the raw bytes, because they contain it."""
    more = row[_MORE]
    assert isinstance(more, str)
    data: dict[str, Any] = json.loads(more)
    data["position"] = None
    for group, names in (("details", PLACE_DETAILS), ("measurements", PLACE_MEASUREMENTS)):
        data[group] = {name: value for name, value in (data.get(group) or {}).items() if name not in names}
    left = json.dumps(data, ensure_ascii=False) if data["details"] or data["measurements"] else None
    return tuple(left if at == _MORE else b"" if at == _RAW else value for at, value in enumerate(row))


def without_raw(row: Row) -> Row:
    """Return a signal's row without its raw bytes."""
    return (*row[:_RAW], b"", *row[_RAW + 1 :])
