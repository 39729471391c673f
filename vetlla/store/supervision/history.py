"""The history of supervision: ledger and incidents, read from the journal's archive page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.supervision import STRETCH
from vetlla.store.journal.ledger import columns_of, unpack
from vetlla.store.journal.signs import Signs, SignsRow

if TYPE_CHECKING:
    import sqlite3
    from array import array
    from collections.abc import Iterator, Sequence

    from vetlla.domain.supervision import DayOf
    from vetlla.store.journal.archive import Archive

MEMBERS_PAGE = 2_000
"""Members of an incident read at once."""

_DAYS = """
SELECT l.day, coalesce(d.down_s, 0) AS down_s, coalesce(d.tolerance_s, 0) AS tolerance_s
FROM (SELECT DISTINCT day FROM ledger WHERE day BETWEEN ? AND ?) AS l LEFT JOIN ledger_days AS d USING (day)
ORDER BY l.day
"""
_UNITS = "SELECT id, account, receiver, line, device FROM units WHERE id BETWEEN ? AND ?"
_STRETCHES = "SELECT (coalesce(max(id), -1) + ?) / ? AS count FROM units"
_COLUMNS = "SELECT columns FROM ledger WHERE day = ? AND stretch = ?"
_INCIDENT = "SELECT id, label, opened_us, closed_us, members, alarm_id FROM incidents"
_MEMBERS = """
SELECT m.unit, coalesce(u.account, '') AS account, coalesce(u.receiver, '') AS receiver,
       coalesce(u.line, '') AS line, coalesce(u.device, '') AS device, m.lost_us,
       CASE WHEN v.state = 3 THEN NULL ELSE v.at_us END AS back_us
FROM (SELECT unit, min(at_us) AS lost_us, max(id) AS last FROM verdicts
      WHERE incident = ? AND unit > ? GROUP BY unit ORDER BY unit LIMIT ?) AS m
JOIN verdicts AS v ON v.id = m.last LEFT JOIN units AS u ON u.id = m.unit ORDER BY m.unit
"""

_OF_ACCOUNTS = """
SELECT u.id, u.account, u.device, u.state, u.since_us, u.heard_us, s.day, s.columns
FROM units AS u LEFT JOIN signs AS s ON s.stretch = u.id / ? WHERE u.account IN ({}) ORDER BY u.id
"""


class LastHeard(NamedTuple):
    """A device as supervision last wrote it; ``heard_us`` is 0 if it never reported."""

    account: str
    device: str
    """Empty for the account's terminal."""
    state: int
    since_us: int
    heard_us: int


class RecordedDay(NamedTuple):
    """A day in the ledger, its seconds without a receiver, and the seconds that a sign of life was given to arrive."""

    day: str
    down_s: int
    tolerance_s: float


class Named(NamedTuple):
    """A device as the journal names it; ``device`` is empty for the account's terminal."""

    account: str
    receiver: str
    line: str
    device: str


class PastIncident(NamedTuple):
    """An incident; ``closed_us`` is None while it lasts."""

    id: int
    label: str
    opened_us: int
    closed_us: int | None
    members: int
    alarm: int | None


class Member(NamedTuple):
    """A device that was lost in an incident; ``back_us`` is None if it did not come back, or has not yet.

    The name is empty for a new device that is not stored yet.
    """

    unit: int
    name: Named
    lost_us: int
    back_us: int | None


# --- the ledger -------------------------------------------------------------------------------------------------------


def days(archive: Archive, first: str, last: str) -> list[RecordedDay]:
    """Return the days from ``first`` to ``last``, both included, that the ledger has."""
    return [RecordedDay(*row) for row in archive.read(_DAYS, (first, last))]


def stretches(archive: Archive) -> int:
    """Return how many stretches of devices there are."""
    (row,) = archive.read(_STRETCHES, (STRETCH, STRETCH))
    count: int = row["count"]
    return count


def named(archive: Archive, stretch: int) -> dict[int, Named]:
    """Return the names of a stretch's devices, by device number."""
    first = stretch * STRETCH
    rows = archive.read(_UNITS, (first, first + STRETCH - 1))
    return {row["id"]: Named(row["account"], row["receiver"], row["line"], row["device"]) for row in rows}


def day_of(archive: Archive, day: str, stretch: int) -> Iterator[DayOf]:
    """Yield the devices of a stretch that were in the fleet on a day. Raises StoreError if the row is damaged."""
    for row in archive.read(_COLUMNS, (day, stretch)):
        for one in unpack(stretch, row["columns"]):
            if one.interval_s or one.reasons:
                yield one


def columns_on(archive: Archive, day: str, stretch: int) -> list[array[int]] | None:
    """Return a day of a stretch as columns in the order of ``STRETCH_COLUMNS``; None if the ledger does not have it.

    It costs a tenth of ``day_of``, for those who count and look at few devices. Raises StoreError if it is damaged.
    """
    rows = archive.read(_COLUMNS, (day, stretch))
    return columns_of(stretch, rows[0]["columns"]) if rows else None


# --- the devices of a home --------------------------------------------------------------------------------------------


def last_heard(archive: Archive, accounts: Sequence[str]) -> list[LastHeard]:
    """Return the devices of some accounts with their last signs of life, which are written twice a minute."""
    rows = archive.read(_OF_ACCOUNTS.format(", ".join("?" * len(accounts))), (STRETCH, *accounts))
    return [
        LastHeard(row["account"], row["device"], row["state"], row["since_us"], max(row["heard_us"], _sign_us(row)))
        for row in rows
    ]


def _sign_us(row: sqlite3.Row) -> int:
    if row["columns"] is None:
        return 0
    told = Signs(SignsRow(row["id"] // STRETCH, row["day"], row["columns"])).of(row["id"])
    return told.heard_us if told else 0


# --- incidents --------------------------------------------------------------------------------------------------------


def incidents(archive: Archive, limit: int, since_us: int | None = None) -> list[PastIncident]:
    """Return the newest incidents that are open or ended after an instant; the newest comes last."""
    sql = f"{_INCIDENT} WHERE closed_us IS NULL OR closed_us >= ? ORDER BY id DESC LIMIT ?"
    rows = archive.read(sql, (since_us or 0, limit))
    return [PastIncident(*row) for row in reversed(rows)]


def incident(archive: Archive, number: int) -> PastIncident | None:
    """Return the incident with a number; None if there is no such incident."""
    rows = archive.read(f"{_INCIDENT} WHERE id = ?", (number,))
    return PastIncident(*rows[0]) if rows else None


def members(archive: Archive, number: int, *, page: int = MEMBERS_PAGE) -> Iterator[Member]:
    """Yield every device that was lost in an incident, in the order of device numbers."""
    after = -1
    while rows := archive.read(_MEMBERS, (number, after, page)):
        for row in rows:
            after = row["unit"]
            name = Named(row["account"], row["receiver"], row["line"], row["device"])
            yield Member(after, name, row["lost_us"], row["back_us"])
