"""The service levels of the desk: its hours and holidays, and the times to answer and solve by severity.

They are parameters with the day from which they hold. A ticket keeps the times of the day on which it was opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.calendar import public_holidays
from vetlla.service.parameters import Basis, Parameter
from vetlla.service.support.clock import WorkingClock
from vetlla.service.support.hours import ALWAYS, week_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.service.parameters import Parameters
    from vetlla.service.support.hours import Shift, Week

T = TypeVar("T")
_SEVERITY: Final = re.compile(r"severity\.([a-z][a-z0-9_-]{0,31})\.(answer|solve)")
_OTHERS: Final = frozenset(
    {"zone", "hours", "day", "holidays.public", "holidays.local", "warning.answer", "warning.solve"}
)
_ALL_DAY: Final = {"hours": timedelta(hours=1), "days": timedelta(days=1)}
"""Units of a time that runs day and night."""
MOST: Final = 10_000
"""Largest number of a time: 10,000 working hours are five years."""
REMEDY: Final = "correct it in the file of the desk's service levels: docs/support.md has all names and units"


class Goal(StrEnum):
    """What a clock measures."""

    ANSWER = "answer"
    SOLVE = "solve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The time that a goal allows, and the clock that measures it."""

    needed: timedelta
    clock: WorkingClock


class ServiceLevels:
    """The hours of the desk, its severities and their limits. Raises ConfigError for a value that cannot be used."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._reading = parameters.on(date.max)
        self._refuse_unknown()
        self.zone = self._checked(self._zone)
        self.clock = WorkingClock(self.zone, self._shifts_on)
        self._all_day = WorkingClock(UTC, lambda day: ALWAYS[day.weekday()])
        self._checked(self._check_calendar)
        self.severities = self._ordered()
        self.first_day = self._days_of("hours")[0]
        for goal in Goal:
            self.warning(goal)

    def limit(self, severity: str, goal: Goal, opened: datetime) -> Limit:
        """Return the limit of a ticket that was opened at a time. Raises ConfigError for an unknown severity."""
        day = opened.astimezone(self.zone).date()
        found = self._parameters.find(f"severity.{severity}.{goal}", day)
        if found is None:
            raise ConfigError(f"there are no times for the severity {severity!r}", remedy=REMEDY)
        return self._limit(found, day)

    def warning(self, goal: Goal) -> timedelta:
        """Return how little may be left of a clock before the check warns."""
        return self._limit(self._reading.entry(f"warning.{goal}"), date.max).needed

    def refuse_early(self, opened: datetime) -> None:
        """Raise UsageError for a time before the first hours of the desk, such as a mistyped year."""
        if opened.astimezone(self.zone).date() < self.first_day:
            raise UsageError(f"the desk has no hours before {self.first_day}", remedy="correct --at")

    def known(self, severity: str) -> str:
        """Return the severity. Raises UsageError if there is none of this name."""
        if severity not in self.severities:
            raise UsageError(
                f"there is no severity {severity!r}", remedy=f"one of {', '.join(self.severities)}, the strictest first"
            )
        return severity

    def in_force(self, day: date) -> list[Parameter]:
        """Return the values that are in force on a day."""
        return self._parameters.in_force(day)

    def assumed(self, day: date) -> list[str]:
        """Return the names of the values in force on a day that no contract confirms, and on which a report rests."""
        return [
            one.name
            for one in self._parameters.in_force(day)
            if one.basis is not Basis.CONTRACT and not one.name.startswith("warning.")
        ]

    def _shifts_on(self, day: date) -> tuple[Shift, ...]:
        if day in self._local or day in public_holidays(self._in_force("holidays.public", day), day.year):
            return ()
        return _week(self._in_force("hours", day))[day.weekday()]

    def _in_force(self, name: str, day: date) -> str:
        return self._parameters.on(day).text(name)

    def _limit(self, entry: Parameter, day: date) -> Limit:
        """Return the limit of an entry for a ticket of a day, on which a working day has a certain length."""
        value, unit = entry.value, entry.unit
        if isinstance(value, (int, Decimal)) and Decimal(value).is_finite() and 0 < value <= MOST:
            if unit in _ALL_DAY:
                return Limit(needed=_times(value, _ALL_DAY[unit]), clock=self._all_day)
            if unit == "working hours":
                return Limit(needed=_times(value, timedelta(hours=1)), clock=self.clock)
            if unit == "working days":
                return Limit(needed=_times(value, self._length(day)), clock=self.clock)
        raise ConfigError(
            f"parameter {entry.name} is {value} {unit}, and not a number up to {MOST} of working hours, working days,"
            " hours or days",
            remedy=REMEDY,
        )

    def _length(self, day: date) -> timedelta:
        entry = self._parameters.on(day).entry("day")
        if entry.unit != "working hours":
            raise ConfigError(f"the parameter day is in {entry.unit}, and not in working hours", remedy=REMEDY)
        return self._limit(entry, day).needed

    def _checked(self, read: Callable[[], T]) -> T:
        """Return what is read. Raises ConfigError for a value that cannot be used."""
        try:
            return read()
        except ValueError as error:
            raise ConfigError(str(error), remedy=REMEDY) from error
        except UsageError as error:
            raise ConfigError(error.args[0], remedy=REMEDY) from error

    def _zone(self) -> ZoneInfo:
        name = self._reading.text("zone")
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones, such as "Europe"
            raise ValueError(f"there is no time zone {name!r}") from error

    def _check_calendar(self) -> None:
        self._local = self._reading.dates("holidays.local")
        for day in self._days_of("hours"):
            _week(self._in_force("hours", day))
        for day in self._days_of("holidays.public"):
            public_holidays(self._in_force("holidays.public", day), day.year)
        for day in self._days_of("day"):
            self._length(day)

    def _days_of(self, name: str) -> list[date]:
        """Return the days from which the values of a name hold."""
        self._reading.entry(name)
        return [one.valid_from for one in self._parameters.all(name)]

    def _refuse_unknown(self) -> None:
        names = self._parameters.names()
        unknown = [name for name in names if name not in _OTHERS and not _SEVERITY.fullmatch(name)]
        if unknown:
            raise ConfigError(f"there is no parameter {unknown[0]}", remedy=REMEDY)

    def _ordered(self) -> tuple[str, ...]:
        """Return the severities, the strictest first: by the time to solve, then by the time to answer."""
        found = (_SEVERITY.fullmatch(name) for name in self._parameters.names())
        names = {one[1] for one in found if one}
        if not names:
            raise ConfigError("there is no severity", remedy=REMEDY)
        times = {}
        for name in names:
            entries = [self._parameters.all(f"severity.{name}.{goal}") for goal in (Goal.SOLVE, Goal.ANSWER)]
            if not all(entries):
                raise ConfigError(f"the severity {name} has no time to answer, or none to solve", remedy=REMEDY)
            limits = [[self._limit(one, one.valid_from) for one in values] for values in entries]
            times[name] = (*(one[-1].needed for one in limits), name)
        return tuple(sorted(names, key=times.__getitem__))


def _times(value: int | Decimal, unit: timedelta) -> timedelta:
    return timedelta(microseconds=int(value * (unit // timedelta(microseconds=1))))


@lru_cache(maxsize=64)
def _week(text: str) -> Week:
    return week_of(text)
