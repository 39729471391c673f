"""What is too old is removed from the journal: a generator of small steps, each for one transaction of the writer.

Numbers grow with time, so each kind of removal walks through them once and remembers how far it has come. The walk ends
at the first row that is young enough, whatever the stamps behind it say: a clock that was behind when a report came
does not make the report old. A stamp of the future ends no walk.

What an operator still works with is held back: signals of an open alarm, of one whose emergency is not over, and of the
earlier alarms that it continues.
"""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.store.audit import PRUNE
from vetlla.store.batch import Entry
from vetlla.store.removals import as_detail
from vetlla.store.rewriting import Rewriting, Rewritten
from vetlla.store.rows import SIGNAL_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vetlla.clock import Clock
    from vetlla.store.deeds import Read
    from vetlla.store.removals import Range
    from vetlla.store.rows import Row

ROWS_PER_STEP = 64
"""Rows that one step removes or empties at most, some 5 ms of the writer's time: a report that comes meanwhile waits no
longer than for another commit. At one step a second, under load all day, it is five million rows a day."""
LOOKED_PER_STEP = 500
"""Rows that one step looks at to find those: some 2 ms."""
CLOCK_AHEAD_US = 7 * 86_400 * 1_000_000
"""How far the wall clock may be ahead of what the last round went by, and of the time since: a clock that is set to
another year must not let a journal be emptied overnight. A receiver that was away for longer catches up with the rounds
that follow."""
RECEIVER = "receiver"
CLOCK = "clock"

PLACE_DETAILS = ("cells", "mac", "networks", "place", "wifi")
"""Details by which decoders tell where a device is, beside its position."""
PLACE_MEASUREMENTS = ("course", "odometer_m", "speed_kmh")

_MORE, _RAW, _ALARM, _ID = (SIGNAL_COLUMNS.index(name) for name in ("more", "raw", "alarm_id", "id"))


class What(StrEnum):
    """What is removed when it is too old."""

    POSITIONS = "positions"
    """Places of signals, and the bytes in which they stand."""
    RAW = "raw"
    """Bytes of signals."""
    SIGNALS = "signals"
    """Whole rows of signals, with their repetitions."""
    NOTES = "notes"
    """What operators wrote about alarms."""
    REJECTS = "rejects"
    """Bytes that were no report, or were refused."""


class Step(NamedTuple):
    """What one transaction did."""

    what: str
    removed: int
    upto_us: int | None
    """Stamp of the last row that was dealt with; None: there was none."""
    entries: Sequence[Entry]
    ranges: Sequence[Range] = ()
    """Digests that the first entry names."""
    refused: Sequence[Range] = ()
    """Signals that were left alone, since they are not those that were committed."""


class Terms(NamedTuple):
    """By what a round goes."""

    now_us: int
    keep_us: Mapping[What, int]
    """How long each is kept; what is absent is kept for ever."""
    emergency_us: int
    """Time after its end in which an alarm may still be continued, or its reports repeated."""

    def before_us(self, what: What) -> int | None:
        """Return the instant before which something is too old; None: it is kept for ever."""
        return self.now_us - self.keep_us[what] if what in self.keep_us else None


# --- the clock --------------------------------------------------------------------------------------------------------


def believed_us(connection: sqlite3.Connection, wall_us: int, running_us: int) -> int:
    """Return the instant that a round goes by: the wall clock's, if it is not far ahead of what is known.

    ``running_us``: time since the last round, or since this run began, by the monotonic clock.
    """
    return believed_by(lambda sql, values: connection.execute(sql, values).fetchall(), wall_us, running_us)


def believed_by(read: Read, wall_us: int, running_us: int = 0) -> int:
    """Return the same for a reader."""
    # Before the first round: when the newest report came.
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
    """What the parts of a round share."""

    connection: sqlite3.Connection
    terms: Terms
    held: frozenset[int]
    """Alarms that operators still work with."""
    clock: Clock

    def entry(self, subject: str, what: What, count: int, **more: object) -> Entry:
        """Return the audit record of a step."""
        detail: dict[str, object] = {"what": what.value, "count": count, **more}
        return Entry(self.clock.now().utc_us, RECEIVER, PRUNE, subject, detail)


def round_of(connection: sqlite3.Connection, terms: Terms, clock: Clock) -> Iterator[Step]:
    """Yield the steps of a round; each is to be committed before the next one is asked for."""
    held = held_alarms(lambda sql, values: connection.execute(sql, values).fetchall(), terms)
    this = _Round(connection, terms, held, clock)
    for what, change, columns in (
        (What.POSITIONS, without_place, ("more", "raw")),
        (What.RAW, without_raw, ("raw",)),
        (What.SIGNALS, lambda _: None, ("raw",)),
    ):
        if (before_us := terms.before_us(what)) is not None:
            walk = _Walk(this, what, before_us, Rewriting(connection, columns), change)
            yield from walk.again()
            yield from walk.on()
    for what, table in ((What.NOTES, "notes"), (What.REJECTS, "rejects")):
        if (before_us := terms.before_us(what)) is not None:
            yield from _rows_of(this, what, table, before_us)
    _put(connection, CLOCK, terms.now_us)
    yield Step(CLOCK, 0, None, ())


def held_alarms(read: Read, terms: Terms) -> frozenset[int]:
    """Return the alarms that operators still work with: open ones, those just closed, and what these continue."""
    return frozenset(row["id"] for row in read(_HELD, (terms.now_us - terms.emergency_us,)))


_HELD = """
WITH RECURSIVE held (id) AS (
    SELECT id FROM alarms INDEXED BY alarms_open WHERE state <> 'closed'
    UNION SELECT id FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ?
    UNION SELECT a.chained_to FROM alarms AS a JOIN held ON a.id = held.id WHERE a.chained_to IS NOT NULL
) SELECT id FROM held
"""
# The newest row stays, whatever its age: numbers go on behind it and are never used twice.
OLDEST = """
SELECT id, received_us, alarm_id, raw <> x'' AS has_raw, length(raw) AS size, more FROM signals
WHERE id > ? AND id < (SELECT max(id) FROM signals) ORDER BY id LIMIT ?
"""
_HELD_BACK = """
SELECT h.signal AS id, s.id IS NOT NULL AS is_there, s.alarm_id
FROM held_back AS h LEFT JOIN signals AS s ON s.id = h.signal
WHERE h.what = ? AND h.signal > ? ORDER BY h.signal LIMIT ?
"""


class _Walk:
    """One kind of removal on its way through the signals."""

    def __init__(
        self, this: _Round, what: What, before_us: int, rewriting: Rewriting, change: Callable[[Row], Row | None]
    ) -> None:
        self._round = this
        self._what = what
        self._before_us = before_us
        self._rewriting = rewriting
        self._change = change

    def on(self) -> Iterator[Step]:
        """Yield the steps from where the last round ended."""
        connection, _, held, _ = self._round
        at = _value(connection, self._what) or 0
        while rows := self._due(at):
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
            yield self._step(done, next(row["received_us"] for row in reversed(rows) if row["id"] <= at))

    def again(self) -> Iterator[Step]:
        """Yield the steps that deal with what earlier rounds held back, and no operator works with any longer."""
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

    def _due(self, after: int) -> list[sqlite3.Row]:
        connection, terms, _, _ = self._round
        rows = connection.execute(OLDEST, (after, LOOKED_PER_STEP)).fetchall()
        return list(takewhile(lambda row: is_due(row["received_us"], self._before_us, terms.now_us), rows))

    def _step(self, done: Rewritten, upto_us: int | None) -> Step:
        entries = []
        if ranges := done.ranges:
            subject = f"signals {ranges[0].first} to {ranges[-1].last}"
            entries.append(self._round.entry(subject, self._what, done.changed, ranges=as_detail(ranges)))
        return Step(self._what, done.changed, upto_us, entries, ranges, done.refused)


def has(what: What, row: sqlite3.Row) -> bool:
    """Return True if there is something of this kind to remove from a signal."""
    match what:
        case What.POSITIONS:
            return row["more"] is not None and has_place(row["more"])
        case What.RAW:
            return bool(row["has_raw"])
        case _:
            return True


def is_due(stamp_us: int, before_us: int, now_us: int) -> bool:
    """Return True if a walk goes past a row with this stamp: it is too old, or its clock was ahead of ours."""
    return not before_us <= stamp_us <= now_us


def _rows_of(this: _Round, what: What, table: str, before_us: int) -> Iterator[Step]:
    """Yield the steps that remove rows which no digest covers: notes and rejects."""
    alarm = "alarm_id" if what is What.NOTES else "NULL"
    oldest = f"""
    SELECT id, at_us, {alarm} AS alarm_id FROM {table} WHERE id > ? AND id < (SELECT max(id) FROM {table})
    ORDER BY id LIMIT ?
    """  # noqa: S608 - names of our own
    connection, terms, held, _ = this
    at = 0
    while found := connection.execute(oldest, (at, ROWS_PER_STEP)).fetchall():
        rows = list(takewhile(lambda row: is_due(row["at_us"], before_us, terms.now_us), found))
        if not rows:
            return
        at = rows[-1]["id"]
        if free := [row for row in rows if row["alarm_id"] not in held]:
            connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(row["id"],) for row in free])  # noqa: S608
            named = {"notes_of": notes_of(free)} if what is What.NOTES else {}
            entry = this.entry(f"{table} {free[0]['id']} to {free[-1]['id']}", what, len(free), **named)
            yield Step(what, len(free), rows[-1]["at_us"], [entry])


def notes_of(notes: Sequence[sqlite3.Row]) -> dict[str, int]:
    """Return when the last of the notes that are removed was written, by alarm: for the audit's record."""
    last: dict[str, int] = {}
    for row in notes:
        alarm = str(row["alarm_id"])
        last[alarm] = max(last.get(alarm, 0), row["at_us"])
    return last


# --- what is removed from one signal ----------------------------------------------------------------------------------


def has_place(more: str) -> bool:
    """Return True if what a signal says besides its event tells where its device was."""
    told = json.loads(more)
    return bool(
        told.get("position")
        or any(name in told.get("details", ()) for name in PLACE_DETAILS)
        or any(name in told.get("measurements", ()) for name in PLACE_MEASUREMENTS)
    )


def without_place(row: Row) -> Row:
    """Return a signal's row without where the device was: the bytes go too, since the place stands in them."""
    more = row[_MORE]
    assert isinstance(more, str)
    told: dict[str, Any] = json.loads(more)
    told["position"] = None
    for group, names in (("details", PLACE_DETAILS), ("measurements", PLACE_MEASUREMENTS)):
        told[group] = {name: said for name, said in (told.get(group) or {}).items() if name not in names}
    left = json.dumps(told, ensure_ascii=False) if told["details"] or told["measurements"] else None
    return tuple(left if at == _MORE else b"" if at == _RAW else value for at, value in enumerate(row))


def without_raw(row: Row) -> Row:
    """Return a signal's row without its bytes."""
    return (*row[:_RAW], b"", *row[_RAW + 1 :])
