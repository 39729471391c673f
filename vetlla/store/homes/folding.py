"""The rule of dated facts: which value a field has on a day, among the facts that are known.

A dated field has the value of the fact with the latest day up to the asked one; of several facts with that day, the one
that was recorded last. A list of periods is the last one recorded, whatever the day, because its periods have their own
days. The first facts of a home or a person set every field and hold since always, so every field has a value.
"""

from __future__ import annotations

import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from vetlla.domain.homes import BY_HAND

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from vetlla.store.homes.cells import Cells, Kind

SINCE = 1
"""Place of a fact's first day in its row."""
FIRST = 2
"""Place of the first field in a row."""

_CHOSEN = "{key} IN (SELECT value FROM json_each(:codes))"
_BY_HAND = "recording IN (SELECT id FROM recordings WHERE source IN (SELECT value FROM json_each(:by_hand)))"
_BY_HOME = "person IN (SELECT person FROM person_facts WHERE home IN (SELECT value FROM json_each(:homes)))"


def rows_of(
    connection: sqlite3.Connection,
    kind: Kind,
    *,
    codes: str | None = None,
    homes: str | None = None,
) -> Iterator[tuple[str, Sequence[tuple[Any, ...]]]]:
    """Yield the code of each home or person with its rows of facts, in the order in which they were recorded.

    A row is the code, the first day and the stored fields. ``codes``: only these, as a JSON list. ``homes``: only
    people who ever had one of these homes.
    """
    conditions = [
        *([_CHOSEN.format(key=kind.key)] if codes is not None else []),
        *([_BY_HOME] if homes is not None else []),
    ]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"SELECT {kind.key}, since, {', '.join(kind.fields)} FROM {kind.table} {where} ORDER BY {kind.key}, recording"  # noqa: S608 - our own names
    rows = connection.execute(sql, {"codes": codes, "homes": homes})
    for code, facts in groupby(rows, itemgetter(0)):
        yield code, list(facts)


def imported_rows(connection: sqlite3.Connection, kind: Kind) -> Iterator[tuple[str, Sequence[tuple[Any, ...]]]]:
    """Yield the code of each home or person that was changed by hand, with the rows of facts that imports recorded."""
    sql = (
        f"SELECT {kind.key}, since, {', '.join(kind.fields)} FROM {kind.table}"  # noqa: S608 - our own names
        f" WHERE {kind.key} IN (SELECT {kind.key} FROM {kind.table} WHERE {_BY_HAND}) AND NOT {_BY_HAND}"
        f" ORDER BY {kind.key}, recording"
    )
    for code, facts in groupby(connection.execute(sql, {"by_hand": json.dumps(BY_HAND)}), itemgetter(0)):
        yield code, list(facts)


def cells_on(kind: Kind, rows: Sequence[tuple[Any, ...]], day: str) -> Cells:
    """Return the fields on a day (ISO), given the rows of one home or person."""
    if len(rows) == 1:
        return rows[0][FIRST:]
    found, since = list(rows[0][FIRST:]), [rows[0][SINCE]] * len(kind.dated)
    for row in rows[1:]:
        begins = row[SINCE]
        for place, cell in enumerate(row[FIRST:]):
            if cell is None:
                continue
            if place >= len(kind.dated):
                found[place] = cell
            elif since[place] <= begins <= day:
                found[place], since[place] = cell, begins
    return tuple(found)


def day_of_value(kind: Kind, rows: Sequence[tuple[Any, ...]], field: str, day: str) -> str:
    """Return the day (ISO) of the fact that gives a field its value on a day."""
    place = FIRST + kind.fields.index(field)
    days: list[str] = [row[SINCE] for row in rows if row[place] is not None]
    return max(since for since in days if since <= day) if field in kind.dated else days[-1]


def days_of_change(kind: Kind, rows: Sequence[tuple[Any, ...]], field: str = "") -> list[str]:
    """Return the days (ISO) from which facts of dated fields hold, in order; only those of ``field`` if it is given."""
    if len(rows) == 1 and not field:
        return [rows[0][SINCE]]
    places = [FIRST + kind.dated.index(field)] if field else range(FIRST, FIRST + len(kind.dated))
    return sorted({row[SINCE] for row in rows if any(row[place] is not None for place in places)})
