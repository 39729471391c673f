"""Invented homes, people and figures for tests of the agenda."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.devices import Home, Period, Person, Programme, UserType
from vetlla.service.agenda.figures import agenda_figures
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from vetlla.service.agenda.figures import AgendaFigures

RULES: Final = load_rules()
CALENDAR: Final = RULES.calendar
LONG: Final = (Period(date(2020, 1, 1)),)
"""A home that has been in the service for years."""


def figures(**changes: Any) -> AgendaFigures:  # noqa: ANN401 - fields of AgendaFigures
    """Return the figures that are installed, with changes."""
    return replace(agenda_figures(RULES.parameters.on(date(2026, 12, 1))), **changes)


def home(number: int, level: int = 2, **changes: Any) -> Home:  # noqa: ANN401 - fields of Home
    """Return a home."""
    given = {"district": "01", "base": "CENTRE", "alone": True, "active": LONG} | changes
    return Home(code=f"H{number:06}", level=level, **given)


def person(number: int, letter: str = "A", *programmes: Programme, kind: UserType = UserType.A) -> Person:
    """Return a person of the home with this number."""
    return Person(code=f"P{number:06}{letter}", home=f"H{number:06}", user_type=kind, programmes=programmes)
