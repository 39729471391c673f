"""Records facts about homes and people. Each call must be made within the caller's transaction."""

from __future__ import annotations

import json
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vetlla.store.homes.cells import HOMES, PEOPLE, home_of, person_of, stored
from vetlla.store.homes.folding import cells_on, day_of_value, days_of_change, imported_rows, rows_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.domain.homes import DatedChange, FactRecording, Home, Person
    from vetlla.store.homes.cells import Cells, Kind

V = TypeVar("V", bound="Home | Person")
BATCH = 5_000
"""Rows held before they are written: enough to save calls, and too few to need much memory."""


class FactWriter(Generic[V]):
    """Knows the facts of homes or people as they were before, and records new ones; ``flush`` writes the last ones.

    All facts of a writer belong to one recording, which is made with the first fact.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        kind: Kind,
        make: Callable[[str, Cells], V],
        recording: FactRecording,
        codes: Sequence[str] = (),
    ) -> None:
        """Read the facts of the homes or people in ``codes``, or of all."""
        self._connection = connection
        self._kind = kind
        self._make = make
        self._recording = recording
        self._number = 0
        self._known = dict(rows_of(connection, kind, codes=json.dumps(list(codes)) if codes else None))
        self._held: list[tuple[Any, ...]] = []
        places = ", ".join("?" * (5 + len(kind.fields)))
        self._insert = f"INSERT INTO {kind.table} VALUES ({places})"  # noqa: S608 - our own table

    def on(self, code: str, day: date) -> V | None:
        """Return the home or person as the registry has it for a day; None if it is not registered."""
        rows = self._known.get(code)
        return None if rows is None else self._make(code, cells_on(self._kind, rows, day.isoformat()))

    def imported_on(self, code: str, day: date) -> V | None:
        """Return the home or person of a day as imports alone made it; None if nothing was changed by hand."""
        rows = self._imported.get(code)
        return None if rows is None else self._make(code, cells_on(self._kind, rows, day.isoformat()))

    def day_of_value(self, code: str, field: str, day: date) -> date:
        """Return the day of the fact that gives a field its value on a day."""
        return date.fromisoformat(day_of_value(self._kind, self._known[code], field, day.isoformat()))

    def next_day(self, code: str, field: str, day: date) -> date | None:
        """Return the next day after one from which a fact of a dated field holds; None if there is none."""
        later = (known for known in days_of_change(self._kind, self._known[code], field) if known > day.isoformat())
        return next(map(date.fromisoformat, later), None)

    def put(self, code: str, changes: Iterable[DatedChange]) -> None:
        """Record changes of a home or person. At most one call may be made for each code."""
        for since, values, correction, note in changes:
            cells = [stored(field, values[field]) if field in values else None for field in self._kind.fields]
            if self._number == 0:
                self._number = _begin(self._connection, self._recording)
            self._held.append((code, self._number, since.isoformat(), int(correction), note, *cells))
        if len(self._held) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the facts that are held."""
        self._connection.executemany(self._insert, self._held)
        self._held.clear()

    @cached_property
    def _imported(self) -> dict[str, Sequence[tuple[Any, ...]]]:
        return dict(imported_rows(self._connection, self._kind))


def home_writer(
    connection: sqlite3.Connection, recording: FactRecording, codes: Sequence[str] = ()
) -> FactWriter[Home]:
    """Return the writer for facts about homes."""
    return FactWriter(connection, HOMES, home_of, recording, codes)


def person_writer(
    connection: sqlite3.Connection, recording: FactRecording, codes: Sequence[str] = ()
) -> FactWriter[Person]:
    """Return the writer for facts about people."""
    return FactWriter(connection, PEOPLE, person_of, recording, codes)


def _begin(connection: sqlite3.Connection, recording: FactRecording) -> int:
    """Begin a recording and return its number.

    Its time is later than that of every recording before, even if the clock was set back. Otherwise an answer "as known
    at a time" could change after it was given.
    """
    (last_us,) = connection.execute("SELECT coalesce(max(recorded_us), -1) FROM recordings").fetchone()
    values = (max(recording.at_us, last_us + 1), recording.by, recording.source)
    number = connection.execute("INSERT INTO recordings (recorded_us, by, source) VALUES (?, ?, ?)", values).lastrowid
    assert number is not None
    return number
