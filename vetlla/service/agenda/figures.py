"""The figures of the agenda on a day, read from the parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.service.parameters import Reading

LEVELS: Final = (1, 2, 3)
MOST_A_YEAR: Final = 48
"""Most follow-ups a year: four a month. More would leave no room between two calls."""
MONTHS: Final = 12
MINUTES_OF_DAY: Final = 24 * 60
STAFF_MAX: Final = 1000
"""Most operators of a band; more is a typing error."""
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday")
_BAND: Final = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d) (\d{1,4})", re.ASCII)
_REMEDY: Final = "correct it in the parameters file"


class HourCell(NamedTuple):
    """A part of a day in which a number of operators call: an hour of the clock, or less at the ends of a band."""

    begin: int
    """Minute of the day."""
    end: int
    """Minute of the day, not included."""
    staff: int

    @property
    def weight(self) -> int:
        """Minutes of all operators."""
        return (self.end - self.begin) * self.staff


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaFigures:
    """The figures of the agenda in force on a day."""

    follow_ups: Mapping[int, int]
    """Follow-up calls a year, by support level of the home."""
    revaluations: Mapping[int, int]
    """Months from one revaluation of a person to the next one, by support level of the home."""
    after_emergency: int
    """The same for level 1 after an emergency."""
    emergency_within: int
    """Months before the planned month in which an emergency counts."""
    excluded: frozenset[str]
    """Programmes with fortnightly calls, whose homes get no follow-ups."""
    hours: Sequence[Sequence[HourCell]]
    """For Monday to Friday: when operators call."""
    spacing: int
    """Natural days that two calls to a home are apart at least, if its days allow it."""
    attempts: int
    """Calls without an answer after which a call may be given up."""
    lease_us: int
    retry_us: int
    """Time from a call without an answer to the next attempt."""
    again_us: int
    """Time from one familiarisation call to the next one."""


def agenda_figures(reading: Reading) -> AgendaFigures:
    """Return the figures of a day. Raises ConfigError or UsageError for a value that cannot be used."""
    return AgendaFigures(
        follow_ups={level: _calls_a_year(reading, f"agenda.follow_up.level_{level}") for level in LEVELS},
        revaluations={level: _period(reading, f"agenda.revaluation.level_{level}") for level in LEVELS},
        after_emergency=_period(reading, "agenda.revaluation.level_1_emergency"),
        emergency_within=reading.integer("agenda.emergency_within"),
        excluded=frozenset(reading.names("agenda.excluded_programmes")),
        hours=tuple(_cells(f"agenda.hours.{day}", reading.text(f"agenda.hours.{day}", "agenda.hours")) for day in DAYS),
        spacing=reading.integer("agenda.spacing"),
        attempts=reading.integer("agenda.attempts", least=1),
        lease_us=reading.integer("agenda.lease", least=1) * MINUTE_US,
        retry_us=reading.integer("agenda.retry") * MINUTE_US,
        again_us=reading.integer("agenda.call_again") * MINUTES_OF_DAY * MINUTE_US,
    )


def _calls_a_year(reading: Reading, name: str) -> int:
    number, unit = reading.integer(name), reading.entry(name).unit
    if unit not in {"calls a year", "calls a month"}:
        raise ConfigError(f"parameter {name} is in {unit!r}, and not in calls a year or calls a month", remedy=_REMEDY)
    found = number * MONTHS if unit == "calls a month" else number
    if found > MOST_A_YEAR:
        raise ConfigError(f"parameter {name} is more than {MOST_A_YEAR} calls a year", remedy=_REMEDY)
    return found


def _period(reading: Reading, name: str) -> int:
    months = reading.integer(name, least=1)
    if MONTHS % months:
        raise ConfigError(f"parameter {name} is {months} months, which is no whole part of a year", remedy=_REMEDY)
    return months


def _cells(name: str, text: str) -> tuple[HourCell, ...]:
    """Return the bands of a day, such as ``09:00-13:30 20; 16:00-19:00 12``, cut at each hour of the clock."""
    cells: list[HourCell] = []
    for band in filter(None, (one.strip() for one in text.split(";"))):
        found = _BAND.fullmatch(band)
        try:
            begin, end = (_minute(found[place]) for place in (1, 2)) if found else (0, 0)
        except ValueError:
            begin = end = 0
        staff = int(found[3]) if found else 0
        if not (begin < end and 0 < staff <= STAFF_MAX and (not cells or cells[-1].end <= begin)):
            wanted = "write bands in order, each with its operators: 09:00-13:30 20; 16:00-19:00 12"
            raise ConfigError(f"parameter {name}: {band!r} is no band", remedy=wanted)
        cuts = [begin, *range(begin // 60 * 60 + 60, end, 60), end]
        cells += [HourCell(cut, following, staff) for cut, following in pairwise(cuts)]
    return tuple(cells)


def _minute(text: str) -> int:
    found = time.fromisoformat(text)
    return found.hour * 60 + found.minute
