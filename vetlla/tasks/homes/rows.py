"""Takes rows of homes and people from a file, and records what they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from vetlla.domain.columns import Effect, Fault
from vetlla.domain.homes import HOME_FIELDS, PERSON_FIELDS, Home, Person
from vetlla.service.homes import rows as checks
from vetlla.service.homes.changes import changes, overtaken, repeated, with_agreed
from vetlla.store.homes.cells import shown, stored
from vetlla.store.homes.queries import home_codes
from vetlla.store.homes.write import home_writer, person_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from datetime import date

    from vetlla.domain.homes import FactRecording, Fields
    from vetlla.store.homes.write import FactWriter

V = TypeVar("V", bound="Home | Person")
STAYS: Final = "was imported before and then changed by hand, which stays"
"""Why a value of a file is not taken."""


class Dated(NamedTuple):
    """How the rows of a file are dated and recorded."""

    day: date
    """Day from which a row without a day of its own holds."""
    today: date
    recording: FactRecording
    correct: bool = False
    """Whether the rows correct what was recorded about the days from then on."""
    overrule: bool = False
    """Whether values of the file replace those recorded by hand, also if the file has no news."""


class DatedRows(Generic[V]):
    """Takes homes or people row by row, and records the fields that a row changes.

    ``corrected`` counts the rows that changed an answer about days before the day of the row. ``kept`` has the values
    of the file that an import said before, where the value recorded by hand stays.
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
        self.kept: list[Fault] = []
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
        old, agreed = self._by_hand(values, since, before)
        after = self._check(row, {**values, **{field: getattr(before, field) for field in old}}, before)
        if isinstance(after, list):
            return after
        self.kept += (Fault(row, field, shown(field, stored(field, values[field])), STAYS) for field in old)
        found = changes(before, after, since, correct=dated.correct)
        if late := overtaken(found, self._fields, lambda *of: self._writer.next_day(code, *of), dated.today):
            written = checks.texts(after)
            return [Fault(row, one.field, written[one.field], one.reason) for one in late]
        if before is not None and agreed:
            self._writer.put(code, with_agreed(found, agreed, before))
        else:
            self._writer.put(code, found)
        if not found:
            return Effect.UNCHANGED
        self.corrected += any(change.correction for change in found)
        return Effect.NEW if before is None else Effect.CHANGED

    def _by_hand(self, values: Mapping[str, Any], since: date, before: V | None) -> tuple[list[str], dict[str, date]]:
        """Return the fields that stay as they were recorded by hand, and those in which the row agrees with them."""
        code = values["code"]
        if before is None or (imported := self._writer.imported_on(code, since)) is None:
            return [], {}
        old, agreed = repeated(values, before, imported)
        if self._dated.correct or self._dated.overrule:
            old = []
        return old, {field: self._writer.day_of_value(code, field, since) for field in agreed}


def home_rows(connection: sqlite3.Connection, dated: Dated) -> DatedRows[Home]:
    """Return what takes the rows of a file of homes."""
    return DatedRows(dated, HOME_FIELDS, home_writer(connection, dated.recording), checks.home)


def person_rows(connection: sqlite3.Connection, dated: Dated) -> DatedRows[Person]:
    """Return what takes the rows of a file of people."""
    homes = checks.HomeCodes(home_codes(connection))

    def check(row: int, values: Mapping[str, Any], before: Person | None) -> Person | list[Fault]:
        return checks.person(row, values, before, homes)

    return DatedRows(dated, PERSON_FIELDS, person_writer(connection, dated.recording), check)
