"""The ledger of a month, counted by day and kind of device (ANS 13)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import last_of_month
from vetlla.domain.supervision import STRETCH, DayOf
from vetlla.service.supervision.days import service_day, service_day_of
from vetlla.service.supervision.report import DayBounds, DayVerdict, Sums, judged
from vetlla.service.supervision.rules import Expectation, lost_after_s
from vetlla.store.supervision import history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from vetlla.store.journal.archive import Archive
    from vetlla.store.supervision.history import Named, RecordedDay

TERMINAL: Final = "terminal"
UCR: Final = "ucr"
NAMELESS: Final = "nameless"
KINDS: Final = (TERMINAL, UCR, NAMELESS)
"""Nameless: the ledger has the day of a device for which the journal has no name. Such a day is counted, too."""


class LedgerMonth(NamedTuple):
    """The days of a month, as the ledger has them."""

    first: date
    last: date
    zone: ZoneInfo
    recorded: list[RecordedDay]
    missing: list[str]
    """Days that are over and not in the ledger, because the receiver did not run."""
    to_come: int

    def whole(self, day: RecordedDay) -> DayBounds:
        """Return what is the same for all devices on a day."""
        return DayBounds(service_day(date.fromisoformat(day.day), self.zone).length_s - day.down_s, day.tolerance_s)


class JudgedDay(NamedTuple):
    """A day of a device with its result; ``name`` is None if the journal has no name for the device."""

    day: str
    of: DayOf
    found: DayVerdict
    name: Named | None

    @property
    def kind(self) -> str:
        """What kind of device it is."""
        return _kind(self.name)


def _kind(name: Named | None) -> str:
    return NAMELESS if name is None else UCR if name.device else TERMINAL


def ledger_month(
    archive: Archive, first: date, zone: ZoneInfo, now_us: int, only: frozenset[str] | None = None
) -> LedgerMonth:
    """Return the days of the month that begins on a day; ``zone`` is that of the service's days.

    Only days that were over at ``now_us`` count, and with ``only`` those days: the ledger does not say when it got a
    day, and a receiver that was off adds the last day of its run when it starts again.
    """
    last, today = last_of_month(first), service_day_of(now_us, zone).day
    found = history.days(archive, first.isoformat(), last.isoformat())
    recorded = [one for one in found if one.day < today.isoformat() and (only is None or one.day in only)]
    known = {one.day for one in recorded}
    every = [first + timedelta(days=number) for number in range(last.day)]
    lacking = [day for day in every if day.isoformat() not in known]
    missing = [day.isoformat() for day in lacking if day < today]
    return LedgerMonth(first, last, zone, recorded, missing, len(lacking) - len(missing))


class Checks(NamedTuple):
    """Counts of supervised device-days."""

    checked: int
    supervised: int


def checks(
    archive: Archive, month: LedgerMonth, breached: Callable[[JudgedDay], object]
) -> dict[tuple[str, str], Checks]:
    """Return the device-days of a month that were supervised and checked, by day and kind of device.

    ``breached`` hears each that was not. It takes a tenth of the time of ``judged_days``, because it reads columns and
    looks at few devices alone: a month of a city has six million device-days.
    """
    wholes = [(one.day, month.whole(one)) for one in month.recorded]
    counts: dict[tuple[str, str], list[int]] = {}
    for stretch in range(history.stretches(archive)):
        names = history.named(archive, stretch)
        kinds = [_kind(names.get(unit)) for unit in range(stretch * STRETCH, (stretch + 1) * STRETCH)]
        for day, whole in wholes:
            columns = history.columns_on(archive, day, stretch)
            if columns is None:
                continue
            pairs = {kind: [0, 0] for kind in KINDS}
            for place in _count(kinds, columns, whole, pairs):
                unit = stretch * STRETCH + place
                one = DayOf(unit, *(column[place] for column in columns))
                breached(JudgedDay(day, one, judged(one, whole), names.get(unit)))
            for kind, pair in pairs.items():
                if pair[1]:
                    known = counts.setdefault((day, kind), [0, 0])
                    known[0] += pair[0]
                    known[1] += pair[1]
    return {key: Checks(*pair) for key, pair in counts.items()}


def _count(
    kinds: Sequence[str], columns: Sequence[Sequence[int]], whole: DayBounds, pairs: dict[str, list[int]]
) -> Iterator[int]:
    """Count the checked and the supervised devices of a block by kind; yield the place of each that was not checked."""
    limits: dict[tuple[int, int], int] = {}
    intervals, allowed, supervised, _, longest, *_ = columns
    for place, (kind, interval_s, misses, supervised_s, longest_s) in enumerate(
        zip(kinds, intervals, allowed, supervised, longest, strict=True)
    ):
        if not supervised_s or not interval_s:
            continue
        limit_s = limits.get((interval_s, misses))
        if limit_s is None:
            limit_s = lost_after_s(Expectation(interval_s, misses), whole.tolerance_s)
            limits[interval_s, misses] = limit_s
        pair = pairs[kind]
        pair[1] += 1
        if longest_s < limit_s:
            pair[0] += 1
        else:
            yield place


def judged_days(archive: Archive, month: LedgerMonth, tell: Callable[[int, int], object]) -> Iterator[JudgedDay]:
    """Yield every device and day of a month; ``tell`` hears how many stretches of devices are done, and of how many.

    Only one stretch of devices is in memory at a time.
    """
    wholes = [(one.day, month.whole(one)) for one in month.recorded]
    stretches = history.stretches(archive)
    for stretch in range(stretches):
        tell(stretch, stretches)
        names = history.named(archive, stretch)
        for day, whole in wholes:
            for one in history.day_of(archive, day, stretch):
                yield JudgedDay(day, one, judged(one, whole), names.get(one.unit))


def counted(archive: Archive, month: LedgerMonth, tell: Callable[[int, int], object]) -> dict[tuple[str, str], Sums]:
    """Return the sums of a month by day and kind of device."""
    sums: dict[tuple[str, str], Sums] = {}
    for one in judged_days(archive, month, tell):
        sums.setdefault((one.day, one.kind), Sums()).add(one.of, one.found)
    return sums
