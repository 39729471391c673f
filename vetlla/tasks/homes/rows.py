"""Takes rows of homes and people from a file, and records what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from vetlla.domain.columns import Effect, Fault
from vetlla.domain.homes import HOME_FIELDS, PERSON_FIELDS, Home, Person
from vetlla.service.homes import rows as checks
from vetlla.service.homes.changes import changes, overtaken
from vetlla.store.homes.queries import home_codes
from vetlla.store.homes.write import home_writer, person_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from datetime import date

    from vetlla.domain.homes import FactRecording, Fields
    from vetlla.store.homes.write import FactWriter

V = TypeVar("V", bound="Home | Person")


class Dated(NamedTuple):
    """How the rows of a file are dated and recorded."""

    day: date
    """Day from which a row without a day of its own holds."""
    today: date
    recording: FactRecording
    correct: bool = False
    """Whether the rows correct what was recorded about the days from then on."""


class DatedRows(Generic[V]):
    """Takes homes or people row by row, and records the fields that a row changes.

    ``corrected`` counts the rows that changed an answer about days before the day of the row.
    """

    def __init__(
        self,
        dated: Dated,
        fields: Fields,
        writer: FactWriter[V],
        check: Callable[[int, Mapping[str, Any], V | None], V | list[Fault]],
    ) -> None:
        self._dated = dated
        self._fields = fields
        self._writer = writer
        self._check = check
        self._row_of: dict[str, int] = {}
        self.corrected = 0
        self.finish = writer.flush

    def put(self, row: int, values: Mapping[str, Any]) -> Effect | list[Fault]:
        """Record what a row changes; return its effect, or what is wrong with it."""
        dated, code = self._dated, values["code"]
        faults = []
        if (seen := self._row_of.setdefault(code, row)) != row:
            faults.append(Fault(row, "code", code, f"is in row {seen} already"))
        since = dated.day
        if (own := values.get("since")) is not None:
            since = own
            faults += checks.since_faults(row, since, dated.today, correct=dated.correct)
        if faults:
            return faults
        before = self._writer.on(code, since)
        after = self._check(row, values, before)
        if isinstance(after, list):
            return after
        found = changes(before, after, since, correct=dated.correct)
        if late := overtaken(found, self._fields, lambda *of: self._writer.next_day(code, *of), dated.today):
            written = checks.texts(after)
            return [Fault(row, one.field, written[one.field], one.reason) for one in late]
        if not found:
            return Effect.UNCHANGED
        self._writer.put(code, found)
        self.corrected += any(change.correction for change in found)
        return Effect.NEW if before is None else Effect.CHANGED


def home_rows(connection: sqlite3.Connection, dated: Dated) -> DatedRows[Home]:
    """Return what takes the rows of a file of homes."""
    return DatedRows(dated, HOME_FIELDS, home_writer(connection, dated.recording), checks.home)


def person_rows(connection: sqlite3.Connection, dated: Dated) -> DatedRows[Person]:
    """Return what takes the rows of a file of people."""
    homes = checks.HomeCodes(home_codes(connection))

    def check(row: int, values: Mapping[str, Any], before: Person | None) -> Person | list[Fault]:
        return checks.person(row, values, before, homes)

    return DatedRows(dated, PERSON_FIELDS, person_writer(connection, dated.recording), check)
