"""Offices: when they were polled, whether their polls can be believed, and their pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class OfficePolls(NamedTuple):
    """The polls of an office."""

    first_at: datetime
    last_at: datetime
    """The last poll that was applied."""
    doubted_since: datetime | None
    """Since when its polls lose too many appointments to be believed."""
    fault: str


class Pause(NamedTuple):
    """An office sends nothing for some time."""

    id: int
    office: str
    first: datetime
    until: datetime | None
    """None: until a person ends it."""
    why: str
    by: str


def polls_of(db: sqlite3.Connection, source: str, office: str) -> OfficePolls | None:
    """Return what is known of the polls of an office; None before the first one."""
    row = db.execute("SELECT * FROM offices WHERE source = ? AND office = ?", (source, office)).fetchone()
    if row is None:
        return None
    return OfficePolls(read(row["first_poll_us"]), read(row["polled_us"]), read(row["doubted_us"]), row["fault"])


def polled(db: sqlite3.Connection, source: str, office: str, now: datetime, *, doubted: bool) -> None:
    """Keep that a complete poll was applied, or that it is doubted and was not."""
    db.execute(
        "INSERT INTO offices (source, office, first_poll_us, polled_us, doubted_us)"
        " VALUES (:source, :office, :now, :now, CASE WHEN :doubted THEN :now END)"
        " ON CONFLICT (source, office) DO UPDATE SET fault = '',"
        " polled_us = CASE WHEN :doubted THEN polled_us ELSE :now END,"
        " doubted_us = CASE WHEN :doubted THEN coalesce(doubted_us, :now) END",
        {"source": source, "office": office, "now": stored(now), "doubted": doubted},
    )


def poll_failed(db: sqlite3.Connection, source: str, office: str, fault: str) -> None:
    """Keep why a poll was not complete; before the first complete poll nothing is kept."""
    db.execute("UPDATE offices SET fault = ? WHERE source = ? AND office = ?", (fault, source, office))


def known_offices(db: sqlite3.Connection) -> list[str]:
    """Return the offices that were ever polled completely, by name."""
    return [row["office"] for row in db.execute("SELECT DISTINCT office FROM offices ORDER BY office")]


def pause(db: sqlite3.Connection, office: str, first: datetime, until: datetime | None, *, why: str, by: str) -> int:
    """Send nothing about an office from a time on; return the pause's id."""
    row = db.execute(
        "INSERT INTO pauses (office, from_us, until_us, why, by) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (office, stored(first), stored(until), why, by),
    ).fetchone()
    return int(row["id"])


def resume(db: sqlite3.Connection, office: str, now: datetime) -> int:
    """End the pauses of an office; return how many there were."""
    return db.execute(
        "UPDATE pauses SET until_us = ? WHERE office = ? AND (until_us IS NULL OR until_us > ?)",
        (stored(now), office, stored(now)),
    ).rowcount


def pauses(db: sqlite3.Connection, now: datetime) -> list[Pause]:
    """Return the pauses that have not ended, the earliest first."""
    rows = db.execute("SELECT * FROM pauses WHERE until_us IS NULL OR until_us > ? ORDER BY from_us", (stored(now),))
    return [
        Pause(row["id"], row["office"], read(row["from_us"]), read(row["until_us"]), row["why"], row["by"])
        for row in rows
    ]
