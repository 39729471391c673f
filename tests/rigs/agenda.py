"""Invented homes, people and figures for tests of the agenda."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.rigs.registered_people import put
from vetlla.domain.clock import to_us
from vetlla.domain.duties import NewEvent
from vetlla.domain.homes import Home, Period, Person, Programme, UserType
from vetlla.service.agenda.figures import agenda_figures
from vetlla.service.agenda.month import agenda_month
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.agenda import planning
from vetlla.tasks.agenda.reading import calls_around
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.clock import ManualClock
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.tasks.agenda.planning import PlannedMonth

RULES: Final = load_rules()
CALENDAR: Final = RULES.calendar
LONG: Final = (Period(date(2020, 1, 1)),)
"""A home that has been in the service for years."""


DECEMBER: Final = date(2026, 12, 1)
BEFORE: Final = datetime(2026, 11, 25, 8, tzinfo=UTC)
"""When the offices of tests begin to plan December."""


def figures(**changes: Any) -> AgendaFigures:  # noqa: ANN401 - fields of AgendaFigures
    """Return the figures that are installed, with changes."""
    return replace(agenda_figures(RULES.parameters.on(date(2026, 12, 1))), **changes)


def home(
    number: int,
    level: int = 2,
    *,
    language: str = "",
    active: tuple[Period, ...] = LONG,
    suspended: tuple[Period, ...] = (),
) -> Home:
    """Return a home."""
    return Home(
        code=f"H{number:06}",
        district="01",
        base="CENTRE",
        level=level,
        alone=True,
        language=language,
        active=active,
        suspended=suspended,
    )


def person(number: int, letter: str = "A", *programmes: Programme, kind: UserType = UserType.A) -> Person:
    """Return a person of the home with this number."""
    return Person(code=f"P{number:06}{letter}", home=f"H{number:06}", user_type=kind, programmes=programmes)


class Office(NamedTuple):
    """A registry, its clock, and what an office does with them."""

    state_dir: Path
    clock: ManualClock

    def register(self, homes: Iterable[Home], people: Iterable[Person] = ()) -> None:
        with transaction(self.state_dir, self.clock) as connection:
            put(connection, *homes, *people, at_us=self.clock.now().utc_us, correct=True)

    def plan(self, first: date = DECEMBER, *, dry_run: bool = False) -> PlannedMonth:
        return planning.plan(self.state_dir, self.clock, RULES, first, by="test", dry_run=dry_run)

    def calls(self, first: date = DECEMBER) -> list[AgendaCall]:
        with snapshot(self.state_dir, self.clock) as connection:
            return list(calls_around(connection, RULES, figures(), agenda_month(first, CALENDAR)))

    def record(self, number: int, event: str) -> None:
        with transaction(self.state_dir, self.clock) as connection:
            now_us = self.clock.now().utc_us
            told = NewEvent("", "", event, now_us)
            book.record(connection, RULES, number, told, Recording(now_us, "test"))

    def wait(self, until: datetime) -> None:
        self.clock.advance((to_us(until) - self.clock.now().utc_us) / 1_000_000)
