"""Digests of the registry as it was known at a time: each part of it in one order, row by row.

A digest leaves out what an erasure removes: notes, telephones, languages, numbers of calls, codes of people. So it is
the same after the erasure of a home.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import contextmanager
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.closing import SERVICE_LEVELS, ClosedInput, FileRole, InputName
from vetlla.store.calls.queries import LONGEST_CALL_US
from vetlla.store.duties.erasure import kept_details

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

_AT: Final = "coalesce(started_us, ready_us, answered_us, ended_us)"
# A record that says only where the recording of a call is has no time, so that all records of a call count.
_IN_MONTH: Final = f"{_AT} >= :since AND {_AT} < :until"
_CALLS: Final = f"""
SELECT r.id, call, i.id, i.at_us, i.origin, direction, started_us, ready_us, answered_us, ended_us, agent, queue,
       outcome, recording <> '', r.digest, party, home, alarm
FROM call_records AS r JOIN call_imports AS i ON i.id = r.import
WHERE call IN (SELECT call FROM call_records WHERE {_IN_MONTH}) ORDER BY call, r.id
"""  # noqa: S608 - constants
_TIES: Final = f"""
SELECT id, call, at_us, "by", method, home, homes, alarm_method, alarm, alarms FROM call_ties
WHERE call IN (SELECT call FROM call_records WHERE {_IN_MONTH}) ORDER BY id
"""  # noqa: S608 - constants
_PROBES: Final = """
SELECT c.part, c.name, p.started_us, m.name, p.duration_us, p.result, r.text, p.through, p.account, i.id, i.at_us
FROM probes AS p JOIN probe_components AS c ON c.id = p.component JOIN probe_machines AS m ON m.id = p.machine
JOIN probe_reasons AS r ON r.id = p.reason JOIN probe_imports AS i ON i.id = p.import
WHERE p.started_us >= :probed AND p.started_us < :end ORDER BY p.component, p.started_us, p.machine
"""
_INCIDENTS: Final = """
SELECT id, component, begun_us, ended_us, planned, note, "by", recorded_us FROM probe_incidents
WHERE begun_us < :end AND ended_us > :begin ORDER BY id
"""
_CLOSED: Final = f"""
SELECT m.id, m.month, m.version, m.known_us, m.seal, f.digest FROM closed_months AS m
LEFT JOIN closed_files AS f ON f.closing = m.id AND f.role = '{FileRole.RESULT}' AND f.name = '{SERVICE_LEVELS}'
WHERE m.known_us < :known ORDER BY m.id
"""  # noqa: S608 - constants
_SUBJECTS: Final = {
    "recordings": 'SELECT id, recorded_us, "by", source FROM recordings ORDER BY id',
    "homes": (
        "SELECT home, recording, since, correction, district, base, level, active, suspended FROM home_facts"
        " ORDER BY home, recording, since"
    ),
    # Only what the results show of a device. An import may correct it, and the registry keeps no earlier value. Later
    # events change the other columns: the first installation of a device sets the day from which it costs.
    InputName.DEVICES: "SELECT id, type, serial, account FROM devices ORDER BY id",
    "movements": (
        "SELECT id, device, day, kind, place, home, ownership, other, recorded_us FROM movements ORDER BY id"
    ),
    "upkeep": "SELECT device, kind, day, recorded_us FROM upkeep ORDER BY device, kind, day",
    "units": 'SELECT id, unit, event, base, vehicle, at_us, "by", source, recorded_us FROM unit_events ORDER BY id',
    "calls": _CALLS,
    "ties": _TIES,
    "probes": _PROBES,
    "incidents": _INCIDENTS,
    "faults": (
        'SELECT id, fault, at_us, subject, reason, ref, cents, "by", withdraws, source, recorded_us'
        " FROM recorded_faults ORDER BY id"
    ),
    "actions": (
        'SELECT id, action, event, about, what, who, due, at_us, ref, "by", source, recorded_us'
        " FROM action_events ORDER BY id"
    ),
    # The ledger of faults takes the levels of earlier months from them. When the month is verified, it is itself known.
    "closed": _CLOSED,
}
"""Name of a part -> its rows."""
_PEOPLE: Final = (
    "SELECT person, recording, since, correction, home, user_type, programmes, active, suspended FROM person_facts"
    " ORDER BY person, recording, since"
)
_DUTIES: Final = (
    'SELECT kind, details, id, subject, event, at_us, ref, "by", begin_us, end_us, duty, withdraws, source, recorded_us'
    " FROM duty_events ORDER BY id"
)
_STAMPS: Final = {
    "recordings": "recorded_us", "duty_events": "recorded_us", "unit_events": "recorded_us", "movements": "recorded_us",
    "call_imports": "at_us", "call_ties": "at_us", "probe_imports": "at_us", "probe_incidents": "recorded_us",
    "recorded_faults": "recorded_us", "action_events": "recorded_us", "closed_months": "known_us",
}  # fmt: skip
"""Table of facts with numbered rows -> when a row was recorded."""
_UPKEEP: Final = "SELECT count(*) FROM upkeep WHERE recorded_us <= ?"
"""Its rows have no number, and there are few of them."""


class DigestSpan(NamedTuple):
    """Of which time the digests are. Times are microseconds UTC."""

    begin_us: int
    end_us: int
    """Excluded."""
    known_us: int
    """As of which the record is known."""
    gap_us: int = 0
    """How long before its beginning a probe may start that vouches for it."""


class Tally:
    """Rows and digest of a part of the record."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._rows = 0

    def add(self, row: Sequence[object]) -> None:
        """Add a row. Its text is ASCII, and a text looks different from a number, so no two rows look the same."""
        self._hash.update(ascii(row).encode("ascii"))
        self._rows += 1

    def all(self, rows: Iterable[Sequence[object]]) -> Tally:
        """Add rows; return itself."""
        for row in rows:
            self.add(row)
        return self

    def add_groups(self, groups: Iterable[Iterable[Sequence[object]]]) -> Tally:
        """Add rows that belong together, in any order of the groups; return itself."""
        found = [Tally().all(rows).input("") for rows in groups]
        for one in sorted(found):
            self._hash.update(bytes.fromhex(one.digest))
            self._rows += one.rows
        return self

    def input(self, name: str) -> ClosedInput:
        """Return the digest under a name."""
        return ClosedInput(name, self._rows, self._hash.hexdigest())


def of_registry(connection: sqlite3.Connection, span: DigestSpan) -> Iterator[ClosedInput]:
    """Yield the digests of the registry as a snapshot sees it; of calls and probes only those that may be in a time."""
    times = {
        "begin": span.begin_us,
        "end": span.end_us,
        "since": span.begin_us - LONGEST_CALL_US,
        "until": span.end_us + LONGEST_CALL_US,
        "probed": span.begin_us - span.gap_us,
        "known": span.known_us,
    }
    with _any_text(connection):
        for name, sql in _SUBJECTS.items():
            yield Tally().all(connection.execute(sql, times)).input(name)
        yield Tally().add_groups(_people(connection)).input(InputName.PEOPLE)
        kinds: defaultdict[str, Tally] = defaultdict(Tally)
        for row in connection.execute(_DUTIES):
            kinds[row[0]].add(_event(row))
    for kind in sorted(kinds):
        yield kinds[kind].input(f"{InputName.DUTIES}{kind}")


@contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Let a connection read text that is no UTF-8, too: a change by hand must show in a digest, and not stop it."""
    before, connection.text_factory = connection.text_factory, lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def _people(connection: sqlite3.Connection) -> Iterator[Iterable[Sequence[object]]]:
    """Yield the facts of each person, without the code: an erasure puts a number in its place."""
    for _, facts in groupby(connection.execute(_PEOPLE), itemgetter(0)):
        yield (fact[1:] for fact in facts)


@lru_cache(maxsize=4_096)
def _kept(kind: str, details: str) -> str:
    """Return what an erasure leaves of details; all of them if a change by hand made them unreadable.

    The same details stand at most events of a kind: reading each of them took a third of the time of all duties.
    """
    try:
        return kept_details(kind, details)
    except (ValueError, AttributeError, TypeError):
        return details


def _event(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row if not row[1] else (row[0], _kept(row[0], row[1]), *row[2:])


class LastRows(NamedTuple):
    """What the tables of facts had when the record was read."""

    numbers: dict[str, int]
    """Number of the last row of each table."""
    upkeep: int
    """Rows of upkeep."""


def last_rows(connection: sqlite3.Connection, known_us: int) -> LastRows:
    """Return the last rows that a snapshot sees, which is known as of a time."""
    numbers = {
        table: int(connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])  # noqa: S608 - ours
        for table in _STAMPS
    }
    return LastRows(numbers, int(connection.execute(_UPKEEP, (known_us,)).fetchone()[0]))


def recorded_late(connection: sqlite3.Connection, last: LastRows, known_us: int) -> list[str]:
    """Return the tables with a row that came after ``last_rows`` and claims to have been recorded until a time."""
    late = [
        table
        for table, stamp in _STAMPS.items()
        if connection.execute(
            f"SELECT 1 FROM {table} WHERE id > ? AND {stamp} <= ? LIMIT 1",  # noqa: S608 - ours
            (last.numbers[table], known_us),
        ).fetchone()
    ]
    return late + ["upkeep"] * (connection.execute(_UPKEEP, (known_us,)).fetchone()[0] > last.upkeep)
