"""Rows of supervision: the devices that are expected, their changes of state, their incidents and their pauses."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from vetlla.domain.supervision import (
    STRETCH,
    KeptChange,
    KeptDevice,
    KeptIncident,
    KeptSupervision,
    LedgerDay,
    LostIn,
    OrderedPause,
    Stretch,
)
from vetlla.store.journal.ledger import merged, pack
from vetlla.store.journal.numbers import next_number
from vetlla.store.journal.signs import PUT_SIGNS, SignsRow, pack_signs, read_signs

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Iterator, Sequence

    from vetlla.store.journal.signs import Signs


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours


def _select(table: str, columns: Sequence[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - as above


_CHANGING = ", ".join(f"{column} = excluded.{column}" for column in KeptDevice._fields[5:])
PUT_UNIT = f"{_insert('units', KeptDevice._fields)} ON CONFLICT DO UPDATE SET {_CHANGING}"
PUT_VERDICT = _insert("verdicts", KeptChange._fields)
PUT_INCIDENT = (
    f"{_insert('incidents', KeptIncident._fields)} ON CONFLICT DO UPDATE"
    " SET closed_us = excluded.closed_us, members = excluded.members, alarm_id = excluded.alarm_id"
)
PUT_PAUSE = f"{_insert('pauses', OrderedPause._fields)} ON CONFLICT DO UPDATE SET since_us = excluded.since_us,"
PUT_PAUSE += " until_us = excluded.until_us, operator = excluded.operator, reason = excluded.reason"
END_PAUSE = "DELETE FROM pauses WHERE unit = ?"
PUT_STRETCH = "INSERT OR REPLACE INTO ledger (day, stretch, columns) VALUES (?, ?, ?)"
PUT_DAY = "INSERT OR REPLACE INTO ledger_days (day, down_s, tolerance_s) VALUES (?, ?, ?)"
FORGET = tuple(
    f"DELETE FROM {table} WHERE day < ? AND (SELECT count(*) FROM ledger_days AS d WHERE d.day > {table}.day) >= ?"  # noqa: S608 - ours
    for table in ("ledger", "ledger_days")
)
"""The statements also count the recorded days, because a clock that shows a far future day must not delete the past."""

EVERY_UNIT = f"{_select('units', KeptDevice._fields)} ORDER BY id"
OPEN_INCIDENTS = f"{_select('incidents', KeptIncident._fields)} WHERE closed_us IS NULL ORDER BY id"
NEXT_INCIDENT = f"SELECT {next_number('incidents')}"
MEMBERS = """
SELECT DISTINCT incident, unit FROM verdicts
WHERE incident IN (SELECT id FROM incidents WHERE closed_us IS NULL) AND state = 3
"""
EVERY_PAUSE = _select("pauses", OrderedPause._fields)
LOST_NOW = """
SELECT u.id, v.incident, v.alarm_id FROM units AS u JOIN verdicts AS v
    ON v.id = (SELECT max(id) FROM verdicts WHERE unit = u.id)
WHERE u.state = 3 OR (u.state = 0 AND v.before = 3 AND v.incident IS NULL)
"""
"""A UCR that was lost before its terminal has the state unknown like the terminal, but its alarm is still open."""


STRETCHES_OF = "SELECT stretch FROM ledger WHERE day = ?"
STRETCH_OF = "SELECT columns FROM ledger WHERE day = ? AND stretch = ?"
DOWN = "SELECT day, down_s FROM ledger_days"
ALIVE = "SELECT alive_us FROM boots WHERE alive_us IS NOT NULL ORDER BY id DESC LIMIT 1"
"""Takes the last boot and not the greatest instant, because a clock may have been ahead."""


def read_kept(connection: sqlite3.Connection) -> KeptSupervision:
    """Return what the previous run left; the connection must give rows by name."""
    (alive_us,) = connection.execute(ALIVE).fetchone() or (None,)
    (next_incident,) = connection.execute(NEXT_INCIDENT).fetchone()
    return KeptSupervision(
        alive_us=alive_us,
        incidents=[KeptIncident(*row) for row in connection.execute(OPEN_INCIDENTS)],
        next_incident=next_incident,
        lost=[LostIn(*row) for row in connection.execute(LOST_NOW)],
        members=[(row["incident"], row["unit"]) for row in connection.execute(MEMBERS)],
        pauses=[OrderedPause(*row) for row in connection.execute(EVERY_PAUSE)],
        down_s={row["day"]: row["down_s"] for row in connection.execute(DOWN)},
    )


def with_signs(unit: KeptDevice, signs: Signs) -> KeptDevice:
    """Return a device as its row and its signs of life describe it together, whichever was written later.

    If the row counts an earlier day than the signs, its counts are dropped; if it counts a later day, they are kept.
    """
    recorded = signs.of(unit.id)
    if recorded is None:
        return unit
    heard_us = max(unit.heard_us, recorded.heard_us)
    if recorded.day < unit.day:
        return unit._replace(heard_us=heard_us)
    if recorded.day > unit.day:
        unit = unit._replace(day=recorded.day, received=0, longest_s=0, unsupervised_s=0, reasons=0)
    return unit._replace(
        heard_us=heard_us,
        received=max(unit.received, recorded.received),
        longest_s=max(unit.longest_s, recorded.longest_s),
    )


def read_units(connection: sqlite3.Connection) -> Iterator[KeptDevice]:
    """Yield every device that was ever expected, by number, with its signs of life."""
    rows, signs = connection.cursor(), connection.cursor()
    rows.row_factory = signs.row_factory = None  # plain tuples, because there may be a million rows
    for stretch, some in groupby(rows.execute(EVERY_UNIT), key=lambda row: row[0] // STRETCH):
        heard = read_signs(signs, stretch)
        for row in some:
            yield with_signs(KeptDevice(*row), heard)


def _merged(connection: sqlite3.Connection, day: str, stretch: int, columns: bytes) -> tuple[str, int, bytes]:
    """Return a stretch of an ended day, added to its ledger row: a clock that was set back ends a day twice."""
    before = connection.execute(STRETCH_OF, (day, stretch)).fetchone()
    return (day, stretch, columns if before is None else merged(stretch, before[0], columns))


@dataclass(slots=True)
class SupervisionRows:
    """The supervision rows of one transaction."""

    units: list[KeptDevice] = field(default_factory=list)
    signs: list[SignsRow] = field(default_factory=list)
    pauses: list[OrderedPause] = field(default_factory=list)
    pauses_ended: list[int] = field(default_factory=list)
    stretches: list[tuple[str, int, bytes]] = field(default_factory=list)
    """Day, number and columns of each."""
    days: list[LedgerDay] = field(default_factory=list)
    forget_before: list[tuple[str, int]] = field(default_factory=list)
    """A day and a number: an earlier day is deleted once at least this number of days after it are recorded."""
    verdicts: list[KeptChange] = field(default_factory=list)
    incidents: list[KeptIncident] = field(default_factory=list)

    @property
    def vital(self) -> bool:
        """Whether it must be durable at once; signs of life alone need not be."""
        return bool(self.verdicts or self.incidents or self.pauses or self.pauses_ended or self.stretches or self.days)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.vital or self.units or self.signs or self.forget_before)

    def add_signs(
        self, stretch: int, day: str, heard_us: array[int], received: array[int], longest_s: array[int]
    ) -> None:
        """Add the signs of life of one stretch's devices: one value a device in each column, at most ``STRETCH``."""
        self.signs.append(SignsRow(stretch, day, pack_signs(heard_us, received, longest_s)))

    def add_stretch(self, day: str, stretch: Stretch) -> None:
        """Add one stretch of an ended day. It is compressed at once, which takes a millisecond or two."""
        self.stretches.append((day, stretch.number, pack(stretch)))

    def keep_from(self, failed: SupervisionRows) -> None:
        """Take over the rows of a failed batch, except verdicts and incidents, which are decided again."""
        for name in ("units", "signs", "pauses", "pauses_ended", "stretches", "days", "forget_before"):
            getattr(self, name)[:0] = getattr(failed, name)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all rows within the connection's open transaction."""
        if self.units:
            connection.executemany(PUT_UNIT, self.units)
        for sql, rows in (
            (PUT_SIGNS, self.signs),
            (PUT_VERDICT, self.verdicts),
            (PUT_INCIDENT, self.incidents),
            (PUT_PAUSE, self.pauses),
            (PUT_STRETCH, [_merged(connection, *stretch) for stretch in self.stretches]),
            (PUT_DAY, self.days),
        ):
            if rows:
                connection.executemany(sql, rows)
        if self.pauses_ended:
            connection.executemany(END_PAUSE, [(unit,) for unit in self.pauses_ended])
        for earlier in self.forget_before:
            for sql in FORGET:
                connection.execute(sql, earlier)
