"""The digests of the record that the results of a month are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.closing import InputName
from vetlla.service.calendar import months_of
from vetlla.store.months.digests import DigestSpan, of_registry
from vetlla.store.months.journal_inputs import of_journal
from vetlla.tasks.supervision.month import ledger_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from vetlla.domain.closing import ClosedInput
    from vetlla.tasks.sla.month import MonthRecord

_GAP: Final = "availability.probe_gap_s"


def inputs(record: MonthRecord, first: date) -> tuple[ClosedInput, ...]:
    """Return the digests of the registry and of the journal, by name.

    ``first`` is the first day of the first month of which a result is computed. It is earlier than the month itself if
    months before it were never closed, because the ledger of faults then computes them, too.
    """
    begin_us = record.rules.calendar.begin_of(first.toordinal())
    span = DigestSpan(begin_us, record.end_us + 1, record.seen_us, _longest_gap_us(record))
    found = list(of_registry(record.connection, span))
    if record.archive is not None:
        found += of_journal(record.archive, recorded_days(record, first), begin_us, span.end_us, record.seen_us)
    return tuple(sorted(found))


def recorded_days(record: MonthRecord, first: date) -> Iterator[str]:
    """Yield the days that the ledger of supervision has, from one month to the last one of the record."""
    if record.archive is None:
        return
    zone = record.rules.calendar.zone
    for month in months_of(first, record.month):
        found = ledger_month(record.archive, month, zone, record.seen_us, record.ledger_days)
        yield from (one.day for one in found.recorded)


def ledger_days(kept: Iterable[ClosedInput]) -> frozenset[str]:
    """Return the days of the ledger that a closing has seen."""
    names = (one.name for one in kept if one.name.startswith(InputName.LEDGER))
    return frozenset(name.removeprefix(InputName.LEDGER) for name in names)


def _longest_gap_us(record: MonthRecord) -> int:
    """Return the longest time for which a probe vouches, under any value of its parameter."""
    values = [one.value for one in record.rules.parameters.all(_GAP)]
    return max((value for value in values if isinstance(value, int)), default=0) * SECOND_US
