"""The record of a month that figures are made of: the registry and the journal, as they were known at a time."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vetlla.domain.clock import as_of, last_of_month
from vetlla.service.sla.from_duties import CasePlace
from vetlla.store.homes import queries as stored_homes
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.homes import Home, Person
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Reading


@dataclass(frozen=True)
class MonthRecord:
    """What is known of a month. Homes and people are read once, when the first figure asks for them."""

    connection: sqlite3.Connection
    """A snapshot of the registry."""
    archive: Archive | None
    """The journal; None if this machine has none."""
    rules: DutyRules
    month: date
    """First day."""
    seen_us: int
    """The moment at which clocks are looked at: now, or the time as of which the record is known."""
    ledger_days: frozenset[str] | None = None
    """The days that the ledger had when the month was closed; None: all days that were over at ``seen_us``."""

    @property
    def last(self) -> date:
        """Last day of the month."""
        return last_of_month(self.month)

    @property
    def begin_us(self) -> int:
        """First moment of the month on the clock of the service."""
        return self.rules.calendar.begin_of(self.month.toordinal())

    @property
    def end_us(self) -> int:
        """Last moment of the month on the clock of the service."""
        return self.rules.calendar.end_of(self.last.toordinal())

    def reading(self) -> Reading:
        """Return a reading of the parameters in force at the end of the month, which remembers nothing yet."""
        return self.rules.parameters.on(self.last)

    @cached_property
    def homes(self) -> dict[str, Home]:
        """The homes by code, as they are on the last day of the month."""
        return stored_homes.homes(self.connection, day=self.last)

    @cached_property
    def people(self) -> dict[str, Person]:
        """The people by code, as they are on the last day of the month."""
        found = stored_homes.people(self.connection, day=self.last)
        return {person.code: person for person in found}

    def place_of(self, one: Standing) -> CasePlace:
        """Return the home of a duty and its base."""
        code = one.duty.subject
        person = self.people.get(code) if code not in self.homes else None
        home = self.homes.get(person.home if person else code)
        return CasePlace(home.code, home.base) if home else CasePlace("", "")


@contextmanager
def month_record(
    state_dir: Path, clock: Clock, rules: DutyRules, month: date, known_us: int | None = None
) -> Iterator[MonthRecord]:
    """Yield the record of a month, as it was known at a time (default: now). Raises StoreError."""
    with ExitStack() as stack:
        connection = stack.enter_context(snapshot(state_dir, clock, known_us))
        has_journal = (state_dir / JOURNAL).exists()
        archive = stack.enter_context(Archive(state_dir)) if has_journal else None
        yield MonthRecord(connection, archive, rules, month, as_of(clock, known_us))
