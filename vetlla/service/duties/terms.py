"""What the parameters make of a kind of duty on the day on which a duty is opened."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import HOUR_US, MINUTE_US
from vetlla.domain.errors import ConfigError
from vetlla.service.duties.calendar import ServiceCalendar
from vetlla.service.duties.kinds import ClockKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from vetlla.service.duties.kinds import DutyKind, DutyKinds
    from vetlla.service.parameters import Parameter, Parameters, Reading

CALENDAR: Final = frozenset({"zone", "holidays.local"})
"""Parameters of the calendar, by which every clock runs."""


class Unit(StrEnum):
    """Units of a limit."""

    MINUTES = "minutes"
    HOURS = "hours"
    NATURAL_DAYS = "natural days"
    WORKING_DAYS = "working days"
    MONTHS = "months"


_IN_US: Final = {Unit.MINUTES: MINUTE_US, Unit.HOURS: HOUR_US}
MOST: Final = {
    Unit.MINUTES: 100_000,
    Unit.HOURS: 10_000,
    Unit.NATURAL_DAYS: 3_660,
    Unit.WORKING_DAYS: 2_500,
    Unit.MONTHS: 120,
}
"""Largest limits: some weeks in minutes, a year in hours, ten years in days and months. The calendar ends in 2099."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The rules of a kind in force on the day on which a duty was opened."""

    kind: DutyKind
    limit: Parameter | None
    """The parameter of the limit; None if the clock has none."""
    amount: int
    unit: Unit | None
    judged: frozenset[str]
    """Events that decide the verdict."""
    stops: Mapping[str, frozenset[str]]
    """Events that stop the clock, each with the events that start it again."""
    asked: tuple[Parameter, ...]
    """Parameters that decided which events judge and stop."""

    @property
    def limit_us(self) -> int | None:
        """The limit in microseconds; None if it is counted in days or months, or if there is none."""
        return self.amount * _IN_US[self.unit] if self.unit in _IN_US else None


class DutyRules:
    """The kinds, the parameters and the calendar of the service. Raises ConfigError for a value that cannot be used."""

    def __init__(self, kinds: DutyKinds, parameters: Parameters, fingerprint: str = "") -> None:
        """Take the kinds and parameters; ``fingerprint`` names their content (``store.duties.index``)."""
        self.kinds = kinds
        self.parameters = parameters
        self.fingerprint = fingerprint
        reading = parameters.on(_any_day(parameters))
        try:
            self.calendar = ServiceCalendar(reading.text("zone"), reading.dates("holidays.local"))
        except ValueError as error:
            raise ConfigError(f"parameter zone: {error}", remedy="write it as Europe/Madrid") from error
        self._known: dict[tuple[str, int], Terms] = {}

    def terms(self, kind: str, opened_us: int) -> Terms:
        """Return the rules of a kind for a duty that was opened at a time. Raises UsageError for an unknown kind."""
        key = kind, self.calendar.day_of(opened_us)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _terms(
                self.kinds.kind(kind), kind, self.parameters.on(self.calendar.date_of(opened_us))
            )
        return found


def _any_day(parameters: Parameters) -> date:
    entries = parameters.all("zone")
    if not entries:
        raise ConfigError("parameter zone is missing", remedy="add it to the parameters file")
    return entries[-1].valid_from


def _terms(kind: DutyKind, name: str, reading: Reading) -> Terms:
    limit = reading.entry(kind.limit) if kind.limit else None
    amount, unit = amount_of(limit) if limit else (0, None)
    if kind.clock is ClockKind.INTERVAL and unit not in _IN_US:
        raise ConfigError(f"parameter {kind.limit} of kind {name} is not in minutes or hours", remedy=_REMEDY)
    asked: list[Parameter] = []
    judged = frozenset(_enabled(dict(kind.judged) or dict.fromkeys(kind.ends, ""), reading, asked))
    stops = set(_enabled({event: stop.only_if for event, stop in kind.stops.items()}, reading, asked))
    return Terms(
        kind=kind,
        limit=limit,
        amount=amount,
        unit=unit,
        judged=judged,
        stops={event: frozenset(stop.until) for event, stop in kind.stops.items() if event in stops},
        asked=tuple(asked),
    )


_REMEDY: Final = "correct it in the parameters file"


def amount_of(entry: Parameter) -> tuple[int, Unit]:
    """Return a limit as a number of units. Raises ConfigError for a value that is none."""
    value, unit = entry.value, "natural days" if entry.unit == "days" else entry.unit
    if unit not in set(Unit) or not isinstance(value, int | Decimal) or value != int(value):
        raise ConfigError(
            f"parameter {entry.name} is {value} {entry.unit}, and not a whole number of {', '.join(Unit)}",
            remedy=_REMEDY,
        )
    most = MOST[Unit(unit)]
    if not 0 < value <= most:
        raise ConfigError(f"parameter {entry.name} is not between 1 and {most} {unit}", remedy=_REMEDY)
    return int(value), Unit(unit)


def _enabled(conditions: Mapping[str, str], reading: Reading, asked: list[Parameter]) -> Iterator[str]:
    """Yield the events whose parameter is "yes", or that need none; append the parameters that were asked."""
    for event, parameter in conditions.items():
        if not parameter:
            yield event
            continue
        asked.append(reading.entry(parameter))
        if reading.is_yes(parameter):
            yield event
