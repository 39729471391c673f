"""Finds the duties that can count in a month, without computing those of all years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.duties.standing import standing
from vetlla.service.duties.terms import Unit, amount_of
from vetlla.service.sla.from_duties import CountedBy
from vetlla.store.duties import events as store
from vetlla.tasks.duties.book import duties_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.sla.month import MonthRecord

_DAY_US: Final = 86_400 * SECOND_US
_MARGIN_US: Final = 14 * _DAY_US
"""A clock that stood goes on with a working day, and days end later than their hours: this is more than both."""
_DAYS: Final = {Unit.NATURAL_DAYS: 1, Unit.WORKING_DAYS: 2, Unit.MONTHS: 31}
"""Natural days that a unit takes at most, apart from the margin. Of two natural days one is a working day or more."""


def standings(record: MonthRecord, kinds: Iterable[str], by: CountedBy) -> Iterator[Standing]:
    """Yield every duty of these kinds that may count in the month, and others of the same subjects, by subject."""
    connection, rules = record.connection, record.rules
    for kind in kinds:
        for subject in _subjects(record, kind, by):
            for duty in duties_of(connection, rules, kind, subject):
                yield standing(duty, rules, record.seen_us)


def _subjects(record: MonthRecord, kind: str, by: CountedBy) -> list[str]:
    connection, begin_us, end_us = record.connection, record.begin_us, record.end_us
    clock = record.rules.kinds.kind(kind).clock
    if by is CountedBy.OPENED or clock is ClockKind.NONE:
        return sorted(store.subjects(connection, kind, begin_us, end_us + 1))
    if clock is ClockKind.LIMIT:
        # A limit runs from the opening, or from the end of the last stop: so one of both is at most a limit earlier.
        since_us = begin_us - _longest_us(record.rules, kind) - _MARGIN_US
        return sorted(store.subjects(connection, kind, since_us, end_us + 1 + _MARGIN_US))
    found = set(store.subjects(connection, kind, begin_us, end_us + 1))  # a duty without a promise counts when it ended
    return sorted(found.union(store.promised(connection, kind, begin_us, end_us)))


def _longest_us(rules: DutyRules, kind: str) -> int:
    """Return the longest time that the limit of a kind takes under any of its values."""
    amounts = map(amount_of, rules.parameters.all(rules.kinds.kind(kind).limit))
    minute_us = 60 * SECOND_US
    sizes = {Unit.MINUTES: minute_us, Unit.HOURS: 60 * minute_us, **{unit: n * _DAY_US for unit, n in _DAYS.items()}}
    return max(amount * sizes[unit] for amount, unit in amounts)
