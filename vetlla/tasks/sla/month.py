"""The record of a month that figures are made of: the registry and the journal, as they were known at a time."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from vetlla.domain.clock import as_of, last_of_month
from vetlla.service.duties.kinds import Subject
from vetlla.service.sla.from_duties import CasePlace, DutyCases
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.homes import Home, Person
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Reading

Made = TypeVar("Made")


@dataclass(frozen=True)
class MonthRecord:
    """What is known of a month. Homes and people are read once, when the first figure asks for them."""

    connection: sqlite3.Connection
    """A snapshot of the registry, which answers as it was known at a time."""
    archive: Archive | None
    """The journal; None if this machine has none."""
    rules: DutyRules
    month: date
    """First day."""
    seen_us: int
    """The moment at which clocks are looked at: now, or the time as of which the record is known."""
    ledger_days: frozenset[str] | None = None
    """The days that the ledger had when the month was closed; None: all days that were over at ``seen_us``."""
    _made: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

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

    def once(self, make: Callable[..., Made], *given: object) -> Made:
        """Return what a function makes of this record and of ``given``. It is called once, however often it is asked.

        So the calls and the probes of a month are read once, because reading them takes long.
        """
        key = (make, *given)
        if key not in self._made:
            self._made[key] = make(self, *given)
        made: Made = self._made[key]
        return made

    @cached_property
    def homes(self) -> dict[str, Home]:
        """The homes by code, as they are on the last day of the month."""
        return stored_homes.homes(self.connection, day=self.last)

    @cached_property
    def people(self) -> dict[str, Person]:
        """The people by code, as they are on the last day of the month."""
        found = stored_homes.people(self.connection, day=self.last)
        return {person.code: person for person in found}

    @cached_property
    def homes_of_devices(self) -> dict[str, str]:
        """The home of each device at the end of the month, by TYPE:SERIAL, and of terminals by account in upper case.

        No account has a colon, so that both are in one book.
        """
        found: dict[str, str] = {}
        for one in inventory.fleet(self.connection, self.last, retired=True):
            if one.standing.home:
                found[f"{one.device.type}:{one.device.serial}"] = one.standing.home
                if one.device.account:
                    found[one.device.account.upper()] = one.standing.home
        return found

    @property
    def cases(self) -> DutyCases:
        """What the figures of duties need to know of the month."""
        return DutyCases(self.month, self.begin_us, self.end_us, self.rules.calendar, self.place_of)

    def place_of(self, one: Standing) -> CasePlace:
        """Return the home of a duty and its base."""
        code = one.duty.subject
        if one.terms.kind.subject is Subject.DEVICE:
            code = self.homes_of_devices.get(code, "")
        elif one.terms.kind.subject is Subject.PERSON:
            person = self.people.get(code)
            code = person.home if person else ""
        home = self.homes.get(code)
        return CasePlace(home.code, home.base) if home else CasePlace("", "")


@contextmanager
def month_record(
    state_dir: Path, clock: Clock, rules: DutyRules, month: date, known_us: int | None = None
) -> Iterator[MonthRecord]:
    """Yield the record of the month that begins on a day, as known now or at ``known_us``. Raises StoreError."""
    with month_records(state_dir, clock, rules, known_us) as record_of:
        yield record_of(month)


@contextmanager
def month_records(
    state_dir: Path, clock: Clock, rules: DutyRules, known_us: int | None = None
) -> Iterator[Callable[[date], MonthRecord]]:
    """Yield what returns the record of the month that begins on a day, all as known at one time. Raises StoreError."""
    with ExitStack() as stack:
        connection = stack.enter_context(snapshot(state_dir, clock, known_us))
        has_journal = (state_dir / JOURNAL).exists()
        archive = stack.enter_context(Archive(state_dir)) if has_journal else None
        seen_us = as_of(clock, known_us)
        yield lambda month: MonthRecord(connection, archive, rules, month, seen_us)
