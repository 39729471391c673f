"""Finds the duties that can count in a month, without computing those of all years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import DAY_US, HOUR_US, MINUTE_US
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.duties.standing import standing
from vetlla.service.duties.terms import Unit, amount_of
from vetlla.service.sla.from_duties import CountedBy
from vetlla.store.duties import events as store
from vetlla.tasks.duties.book import duties_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.duties import Duty
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.sla.month import MonthRecord

_MARGIN_US: Final = 14 * DAY_US
"""A clock that stood goes on with a working day, and days end later than their hours: this is more than both."""
_DAYS: Final = {Unit.NATURAL_DAYS: 1, Unit.WORKING_DAYS: 2, Unit.MONTHS: 31}
"""Natural days that a unit takes at most, apart from the margin. Of two natural days one is a working day or more."""


class MonthWindow(NamedTuple):
    """Which duties of a kind may count in a month, without their standing."""

    is_dated: bool
    """Whether the end of a promised time puts them into a month."""
    begin_us: int
    end_us: int
    """Of the month; both included."""
    since_us: int
    until_us: int
    """Of its events; both included. One of them is in this time, or the duty was promised for the month."""

    def has(self, duty: Duty) -> bool:
        """Return False for a duty that cannot count in the month."""
        for event in duty.events:
            if self.since_us <= event.told.at_us <= self.until_us:
                return True
            end_us = event.told.end_us
            if self.is_dated and end_us is not None and self.begin_us <= end_us <= self.end_us:
                return True
        return False


def standings(record: MonthRecord, kinds: Iterable[str], by: CountedBy) -> Iterator[Standing]:
    """Yield every duty of these kinds that may count in the month, and some others, by kind and subject."""
    connection, rules = record.connection, record.rules
    for kind in kinds:
        window = _window(record, kind, by)
        for subject in _subjects(record, kind, window):
            for duty in duties_of(connection, rules, kind, subject):
                if window.has(duty):
                    yield standing(duty, rules, record.seen_us)


def _window(record: MonthRecord, kind: str, by: CountedBy) -> MonthWindow:
    begin_us, end_us = record.begin_us, record.end_us
    clock = record.rules.kinds.kind(kind).clock
    if by is CountedBy.OPENED or clock is ClockKind.NONE:
        return MonthWindow(is_dated=False, begin_us=begin_us, end_us=end_us, since_us=begin_us, until_us=end_us)
    if clock is ClockKind.LIMIT:
        # A limit runs from the opening, or from the end of the last stop: so one of both is at most a limit earlier.
        since_us = begin_us - _longest_us(record.rules, kind) - _MARGIN_US
        until_us = end_us + _MARGIN_US
        return MonthWindow(is_dated=False, begin_us=begin_us, end_us=end_us, since_us=since_us, until_us=until_us)
    return MonthWindow(is_dated=True, begin_us=begin_us, end_us=end_us, since_us=begin_us, until_us=end_us)


def _subjects(record: MonthRecord, kind: str, window: MonthWindow) -> list[str]:
    found = set(store.subjects(record.connection, kind, window.since_us, window.until_us + 1))
    if window.is_dated:
        found.update(store.promised(record.connection, kind, window.begin_us, window.end_us))
    return sorted(found)


def _longest_us(rules: DutyRules, kind: str) -> int:
    """Return the longest time that the limit of a kind takes under any of its values."""
    amounts = map(amount_of, rules.parameters.all(rules.kinds.kind(kind).limit))
    sizes = {Unit.MINUTES: MINUTE_US, Unit.HOURS: HOUR_US, **{unit: n * DAY_US for unit, n in _DAYS.items()}}
    return max(amount * sizes[unit] for amount, unit in amounts)
