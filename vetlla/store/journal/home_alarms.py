"""Reads the alarms of a home from the journal's archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.store.journal.rows import alarm_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.alarms import Alarm
    from vetlla.store.journal.archive import Archive


def ended_in(archive: Archive, names: Sequence[str], since_us: int, before_us: int | None) -> list[Alarm]:
    """Return the alarms of a home that were closed in a time; without an end also those that are open now.

    ``names`` are the home's code and its accounts, because an alarm of an account that was not registered has the
    account's name in place of a home.
    """
    marks = ", ".join("?" * len(names))
    upper = "" if before_us is None else " AND closed_us < ?"
    values = (since_us, *names, *(() if before_us is None else (before_us,)))
    sql = f"SELECT * FROM alarms WHERE closed_us >= ? AND home IN ({marks}){upper}"  # noqa: S608 - placeholders
    found = [alarm_from(row) for row in archive.read(sql, values)]
    if before_us is None:
        sql = f"SELECT * FROM alarms WHERE state <> 'closed' AND home IN ({marks})"  # noqa: S608 - placeholders
        found += map(alarm_from, archive.read(sql, names))
    return found


def first_call_after(archive: Archive, alarm: int, after_us: int) -> int | None:
    """Return when the first signal of an alarm after an instant was established; None if there is none."""
    (row,) = archive.read(
        "SELECT min(established_us) AS first FROM signals WHERE alarm_id = ? AND established_us > ?", (alarm, after_us)
    )
    first: int | None = row["first"]
    return first
