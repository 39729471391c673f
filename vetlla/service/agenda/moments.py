"""Gives calls their day and their time of day, evenly over the working days of a month and the hours of each day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from vetlla.domain.clock import to_us
from vetlla.domain.errors import ConfigError
from vetlla.service.agenda.evenness import Dealt, bits, deal, shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.agenda.wanted import WantedCall
    from vetlla.service.duties.calendar import ServiceCalendar


def moments(
    calls: Sequence[WantedCall],
    month: AgendaMonth,
    figures: AgendaFigures,
    calendar: ServiceCalendar,
    *,
    first: date,
    held_us: Iterable[tuple[str, int]],
) -> list[int]:
    """Return the moment of each call, in the order of the calls (microseconds UTC).

    Each call must have a day, and none before ``first``. ``held_us`` are the homes and moments of the calls that are
    planned already and stay. Raises ConfigError if a call has no day on which operators call.
    """
    weights = [sum(cell.weight for cell in figures.hours[day.weekday()]) if first <= day else 0 for day in month.days]
    _refuse_unstaffed(calls, month, weights)
    held = [(home, local_time(moment, calendar)) for home, moment in held_us]
    on_day = Counter(at.date() for _, at in held)
    of_home = Counter(call.home for call in calls)
    staffed = sum(1 << cell for cell, weight in enumerate(weights) if weight)
    days = _apart(calls, month, figures.spacing, held, staffed)
    dealt = [
        Dealt(call.subject, call.position, cells, of_home[call.home] > 1)
        for call, cells in zip(calls, days, strict=True)
    ]
    placed = deal(dealt, weights, [on_day[day] for day in month.days])
    found = [0] * len(calls)
    by_day: defaultdict[int, list[int]] = defaultdict(list)
    for place, cell in enumerate(placed):
        by_day[cell].append(place)
    times: defaultdict[date, list[int]] = defaultdict(list)
    for _, at in held:
        times[at.date()].append(at.hour * 60 + at.minute)
    for cell, places in by_day.items():
        day = month.days[cell]
        places.sort(key=lambda place: (calls[place].position, calls[place].subject))
        midnight = datetime.combine(day, time(), calendar.zone)
        for place, minute in zip(places, _minutes(len(places), day, figures, times[day]), strict=True):
            found[place] = to_us(midnight + timedelta(minutes=minute))  # wall-clock minutes, in any offset
    return found


def local_time(moment_us: int, calendar: ServiceCalendar) -> datetime:
    """Return a moment on the clock of the service."""
    return datetime.fromtimestamp(moment_us // 1_000_000, calendar.zone)


def _minutes(number: int, day: date, figures: AgendaFigures, taken: Sequence[int]) -> list[int]:
    """Return the minute of the day of each of ``number`` calls, in order."""
    cells = figures.hours[day.weekday()]
    held = [sum(cell.begin <= minute < cell.end for minute in taken) for cell in cells]
    found: list[int] = []
    for cell, share in zip(cells, shares(number, [cell.weight for cell in cells], held), strict=True):
        length = cell.end - cell.begin
        found += [cell.begin + length * (2 * place + 1) // (2 * share) for place in range(share)]
    return found


def _refuse_unstaffed(calls: Iterable[WantedCall], month: AgendaMonth, weights: Sequence[int]) -> None:
    staffed = sum(1 << cell for cell, weight in enumerate(weights) if weight)
    for call in calls:
        if not call.days & staffed:
            days = ", ".join(str(month.days[cell]) for cell in bits(call.days))
            raise ConfigError(
                f"{call.kind} of {call.subject} can be made on {days} only, and no operator calls then",
                remedy="correct agenda.hours in the parameters file",
            )


def _apart(
    calls: Sequence[WantedCall],
    month: AgendaMonth,
    spacing: int,
    held: Iterable[tuple[str, datetime]],
    staffed: int,
) -> list[int]:
    """Return the days of each call that keep the spacing to other calls of its home; all of its days if none does."""
    others: defaultdict[str, list[date]] = defaultdict(list)
    for home, at in held:
        others[home].append(at.date())
    several = Counter(call.home for call in calls)
    found = []
    for call in calls:
        days, near = call.days & staffed, others.get(call.home, ())
        if near:
            far = sum(1 << cell for cell in bits(days) if _is_far(month.days[cell], near, spacing))
            days = far or days
        if several[call.home] > 1:
            cells = bits(days)
            others[call.home].append(month.days[cells[int(call.position * len(cells))]])
        found.append(days)
    return found


def _is_far(day: date, others: Iterable[date], spacing: int) -> bool:
    return all(abs((day - other).days) >= spacing for other in others)
