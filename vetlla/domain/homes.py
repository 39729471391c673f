"""Values of homes and of the people in them, and the dated facts that say what held on which day.

A home or a person is never rewritten. Each change is a fact: a field has a value from a day on, and the registry says
since when it knows that, from which file or command, and which user recorded it. So every question can be asked as of a
day and as known at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALWAYS = date.min
"""Day from which the first values of a home or a person hold: no other value is known of the days before."""


class UserType(StrEnum):
    """How the service classifies a user; type C shares the home and has no UCR (tender, 13.1.g)."""

    A = "A"
    B = "B"
    C = "C"


class ServiceState(StrEnum):
    """What the service does for a home or a person on a day."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    OUT = "out"
    """Not yet in the service, or no longer in it."""


class Period(NamedTuple):
    """From one day to another, both included; ``until`` is None if it has no end yet."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Return True if the day is in the period."""
        return self.since <= day and (self.until is None or day <= self.until)

    def __str__(self) -> str:
        return f"{self.since}/{self.until or ''}"


class Programme(NamedTuple):
    """A user's time in a programme of personalised telecare (home_safety, mimal ...)."""

    name: str
    period: Period

    def __str__(self) -> str:
        return f"{self.name}:{self.period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home that the service attends, identified by its code; no name and no address are kept here."""

    code: str
    district: str
    base: str
    """Base whose technicians visit it."""
    level: int
    """Support level, 1 to 3."""
    alone: bool
    language: str = ""
    phones: tuple[str, ...] = ()
    active: tuple[Period, ...] = ()
    suspended: tuple[Period, ...] = ()

    def active_on(self, day: date) -> bool:
        """Return True if the home is in the service on that day, even if it is suspended."""
        return is_covered(self.active, day)

    def attended_after(self, day: date) -> date | None:
        """Return the first day after a day on which the home is attended; None if there is none."""
        following = day + timedelta(days=1)
        days = [max(period.since, following) for period in self.active if period.until is None or period.until > day]
        return min(days, default=None)

    def active_from(self, day: date) -> bool:
        """Return True if the home is in the service on that day or later, as far as is known."""
        return any(period.until is None or day <= period.until for period in self.active)

    def state_on(self, day: date) -> ServiceState:
        """Return what the service does for the home on that day."""
        return _state(self.active, self.suspended, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user that the service attends, identified by a code."""

    code: str
    home: str
    user_type: UserType
    programmes: tuple[Programme, ...] = ()
    active: tuple[Period, ...] = ()
    """The person's own active periods; without any, those of the home hold."""
    suspended: tuple[Period, ...] = ()
    """The person's own suspended periods; without any, those of the home hold."""

    def state_on(self, day: date, home: Home) -> ServiceState:
        """Return what the service does for the person on that day; ``home`` is the person's home on that day."""
        return _state(*self.periods(home), day)

    def periods(self, home: Home) -> tuple[tuple[Period, ...], tuple[Period, ...]]:
        """Return when the person is in the service and when suspended: the own periods, else those of the home."""
        return self.active or home.active, self.suspended or home.suspended

    def programmes_on(self, day: date) -> tuple[str, ...]:
        """Return the names of the programmes in which the person is on that day."""
        return tuple(name for name, period in self.programmes if period.covers(day))


def is_covered(periods: Iterable[Period], day: date) -> bool:
    """Return True if one of the periods has the day."""
    return any(period.covers(day) for period in periods)


def listed(parts: Iterable[Period | Programme]) -> str:
    """Return periods or programmes as files and facts have them: ``FROM/TO;FROM/``, ``NAME:FROM/TO;NAME:FROM/``."""
    return ";".join(map(str, parts))


def _state(active: Iterable[Period], suspended: Iterable[Period], day: date) -> ServiceState:
    if not is_covered(active, day):
        return ServiceState.OUT
    return ServiceState.SUSPENDED if is_covered(suspended, day) else ServiceState.ACTIVE


# --- facts ------------------------------------------------------------------------------------------------------------


class Fields(NamedTuple):
    """The fields of homes or of people, by the way in which they hold."""

    dated: tuple[str, ...]
    """Fields whose value holds from a day until the next one."""
    lists: tuple[str, ...]
    """Fields whose value is a whole list of periods. Their days are in the list, so only the last list counts."""


HOME_FIELDS = Fields(("district", "base", "level", "alone", "language", "phones"), ("active", "suspended"))
PERSON_FIELDS = Fields(("home", "user_type"), ("programmes", "active", "suspended"))


SET_HOME: Final = "homes set"
SET_PERSON: Final = "people set"
BY_HAND: Final = (SET_HOME, SET_PERSON)
"""Sources of facts that a person recorded by hand, with these commands; all other facts are from imports."""


class FactRecording(NamedTuple):
    """When facts are recorded, which user records them, and from where: the name of a file, or the command."""

    at_us: int
    by: str
    source: str

    @classmethod
    def of_import(cls, at_us: int, by: str, file: str) -> FactRecording:
        """Return the recording of an import, whose source is the name of its file; "" is standard input.

        A file that is called like a command of ``BY_HAND`` is not taken for it.
        """
        return cls(at_us, by, f"file {file}" if file in BY_HAND else file or "standard input")


class DatedChange(NamedTuple):
    """Fields that get new values from a day on: facts that are still to be recorded."""

    since: date
    values: Mapping[str, Any]
    correction: bool = False
    note: str = ""


class Fact(NamedTuple):
    """One recorded fact: the value of a field from a day on, and what is known about its recording."""

    field: str
    value: str
    since: date
    """Day from which the value holds. For a list of periods it is the first day whose answer the list changed."""
    recorded_us: int
    by: str
    source: str
    correction: bool
    """Whether it corrects what was recorded about days before."""
    note: str
