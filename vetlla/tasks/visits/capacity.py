"""Finds how much of a base's capacity is free, and proposes intervals for a visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.errors import UsageError
from vetlla.service.visits.free import FreeDay, Hours, Window, free_days, proposed, windows
from vetlla.service.visits.visit import KIND, OF_DEVICES
from vetlla.store.homes import queries as home_store
from vetlla.store.registry.transaction import snapshot
from vetlla.store.renewals import plan as plans
from vetlla.tasks.visits.looking import VisitFilter, days, visits

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Reading

DAYS_MAX: Final = 366
"""Most days that one question may be about: visits are promised for the coming weeks."""


class Asked(NamedTuple):
    """What is asked about the capacity of a base."""

    base: str
    first: date
    last: date
    minutes: int = 0
    """Length of a visit for which intervals are proposed; 0 for none."""
    number: int = 3
    """How many intervals."""
    technician: str = ""
    """The technician who should make it; empty for any."""


class FreeCapacity(NamedTuple):
    """The days of a base, the intervals that are proposed, and the values that were read."""

    days: list[FreeDay]
    windows: list[Window]
    values: Reading


def free(state_dir: Path, clock: Clock, rules: DutyRules, asked: Asked) -> FreeCapacity:
    """Return what is free. Raises UsageError for an unknown base, or a span that is empty or too long."""
    if not 0 <= (asked.last - asked.first).days < DAYS_MAX:
        raise UsageError(
            f"from {asked.first} to {asked.last} is no span of 1 to {DAYS_MAX} days", remedy="correct --from and --to"
        )
    now_us = clock.now().utc_us
    values = rules.parameters.on(asked.first)
    with snapshot(state_dir, clock) as connection:
        asked = asked._replace(base=home_store.must_know_base(connection, asked.base))
        wanted = VisitFilter(first=asked.first, last=asked.last, base=asked.base)
        found = [visit for visit in visits(connection, rules, wanted, now_us) if visit.takes_time]
        plan = plans.visits(connection, base=asked.base, first=asked.first, last=asked.last)
    # A visit of the plan whose interval is promised is counted once, wherever in the span it is promised.
    promised = {visit.home for visit in found if visit.purpose in OF_DEVICES}
    calendar = rules.calendar
    capacity = {
        day: _capacity(values.at(day), asked.base) if calendar.is_working(day.toordinal()) else 0
        for day in days(asked.first, asked.last)
    }
    by_day = free_days(
        capacity,
        ((calendar.date_of(visit.begin_us), visit.minutes) for visit in found),
        ((visit.day, visit.minutes) for visit in plan if not visit.home or visit.home not in promised),
    )
    if not asked.minutes:
        return FreeCapacity(by_day, [], values)
    width = (rules.terms(KIND, now_us).limit_us or 0) // MINUTE_US
    hours = Hours(values.integer("visit.first_hour"), values.integer("visit.last_hour"), width)
    possible = windows(
        by_day,
        found,
        hours,
        calendar.zone,
        minutes=asked.minutes,
        after_us=now_us,
        technician=asked.technician,
    )
    return FreeCapacity(by_day, proposed(possible, asked.number), values)


def _capacity(values: Reading, base: str) -> int:
    return values.integer(f"capacity.{base}", "capacity.default")
