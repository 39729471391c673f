"""Reads calls: what all files say of each, and to which home it is tied."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.calls import CallKey, CallRecord, Origin, PhoneCall, Tie, TieMethod
from vetlla.domain.clock import DAY_US
from vetlla.domain.errors import UsageError
from vetlla.store.calls.rows import ORIGINS, RECORD_COLUMNS, TIE_COLUMNS, record_from, tie_from

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping

LONGEST_CALL_US: Final = DAY_US
"""How far the times of one call's records may lie apart. A call of a day is a line that was left open."""
NEVER: Final = 1 << 62
_COLUMNS: Final = ", ".join(f"r.{name.strip()}" for name in RECORD_COLUMNS.split(","))
_TIED: Final = ", ".join(f"t.{name.strip()}" for name in TIE_COLUMNS.split(","))
_WIDTH: Final = 15

_SELECT: Final = f"""
SELECT c.id, s.name, c.external, i.origin, {_COLUMNS}, {_TIED}
FROM calls AS c JOIN call_sources AS s ON s.id = c.source JOIN call_records AS r ON r.call = c.id
JOIN call_imports AS i ON i.id = r.import
LEFT JOIN call_ties AS t ON t.id = (SELECT max(id) FROM call_ties WHERE call = c.id)
WHERE {{}} ORDER BY c.id, r.id
"""  # noqa: S608 - constants
_AT: Final = "coalesce(started_us, ready_us, answered_us, ended_us)"
"""The first known time of a record, as the index of times has it."""
_WITHIN: Final = f"c.id IN (SELECT call FROM call_records WHERE {_AT} >= ? AND {_AT} < ?)"  # noqa: S608 - constants
_OF_HOME: Final = "c.id IN (SELECT call FROM call_ties WHERE home = ? AND home != '')"


class History(NamedTuple):
    """One fact about a call: what a file said, or a tie."""

    at_us: int
    by: str
    what: str
    """The kind of file, or "tie"."""
    file: str
    value: CallRecord | Tie


def calls(
    connection: sqlite3.Connection,
    join: Callable[[Mapping[Origin, CallRecord]], CallRecord],
    *,
    since_us: int | None = None,
    until_us: int | None = None,
    home: str = "",
) -> Iterator[PhoneCall]:
    """Yield calls in the order in which they were first imported; ``join`` makes one record of all that files say.

    A range is that of the start of the call; a call whose start is unknown counts by its first known time, and one
    without any time is only in an answer without a range.
    """
    where, values = ["1"], list[object]()
    ranged = since_us is not None or until_us is not None
    since, until = since_us or 0, NEVER if until_us is None else until_us
    if ranged:
        where.append(_WITHIN)
        values += [since - LONGEST_CALL_US, min(until + LONGEST_CALL_US, NEVER)]
    if home:
        where.append(_OF_HOME)
        values.append(home)
    rows = connection.execute(_SELECT.format(" AND ".join(where)), values)
    for _, some in groupby(rows, key=lambda row: row[0]):
        call = _call(list(some), join)
        begun = _begun(call)
        if (not ranged or (begun is not None and since <= begun < until)) and (not home or call.tie.home == home):
            yield call


def sources(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the PBX that have calls; "" for one that was never named."""
    rows = connection.execute("SELECT name FROM call_sources WHERE id IN (SELECT source FROM calls) ORDER BY name")
    return [name for (name,) in rows]


def call(
    connection: sqlite3.Connection, named: str, join: Callable[[Mapping[Origin, CallRecord]], CallRecord]
) -> PhoneCall:
    """Return the call with a number or an id of its PBX. Raises UsageError unless exactly one matches."""
    ids = [row[0] for row in connection.execute("SELECT id FROM calls WHERE external = ?", (named,))]
    if not ids and named.isascii() and named.isdecimal() and len(named) < 19:
        ids = [row[0] for row in connection.execute("SELECT id FROM calls WHERE id = ?", (int(named),))]
    if not ids:
        raise UsageError(f"no call {named!r}", remedy="vetlla calls list shows numbers and ids")
    if len(ids) > 1:
        numbers = ", ".join(map(str, ids))
        raise UsageError(f"{named!r} means {len(ids)} calls of several PBX: {numbers}", remedy="give the number")
    return _call(connection.execute(_SELECT.format("c.id = ?"), ids).fetchall(), join)


def history(connection: sqlite3.Connection, number: int) -> list[History]:
    """Return all that was ever said of a call, oldest first."""
    found = [
        History(at_us, by, origin, file, record_from(values))
        for at_us, by, origin, file, *values in connection.execute(
            f"SELECT i.at_us, i.by, i.origin, i.file, {_COLUMNS} FROM call_records AS r"  # noqa: S608 - constants
            " JOIN call_imports AS i ON i.id = r.import WHERE r.call = ? ORDER BY r.id",
            (number,),
        )
    ]
    found += [
        History(at_us, tie.by, "tie", "", tie)
        for at_us, tie in (
            (at_us, tie_from(values))
            for at_us, *values in connection.execute(
                f"SELECT t.at_us, {_TIED} FROM call_ties AS t WHERE t.call = ? ORDER BY t.id",  # noqa: S608
                (number,),
            )
        )
    ]
    return sorted(found, key=lambda one: one.at_us)


def _begun(call: PhoneCall) -> int | None:
    record = call.record
    return next((time for time in record[1:5] if time is not None), None)


def _call(rows: list[tuple[Any, ...]], join: Callable[[Mapping[Origin, CallRecord]], CallRecord]) -> PhoneCall:
    records: dict[Origin, CallRecord] = {}
    for row in rows:  # a later record of the same kind holds
        records[ORIGINS[row[3]]] = record_from(row[4 : 4 + _WIDTH])
    number, source, external, *_ = rows[0]
    tied = rows[0][4 + _WIDTH :]
    tie = tie_from(tied) if tied[0] is not None else Tie(TieMethod.NO_NUMBER)
    return PhoneCall(number, CallKey(source, external), join(records), tuple(records), tie)
