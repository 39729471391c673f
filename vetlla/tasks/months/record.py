"""The digests of the record of a month, of which its results are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.closing import InputName
from vetlla.store.months.digests import of_registry
from vetlla.store.months.journal_inputs import of_journal
from vetlla.tasks.supervision.month import ledger_month

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.closing import ClosedInput
    from vetlla.tasks.sla.month import MonthRecord


def inputs(record: MonthRecord) -> tuple[ClosedInput, ...]:
    """Return the digests of the registry and of the journal, by name."""
    found = list(of_registry(record.connection, record.begin_us, record.end_us + 1))
    if record.archive is not None:
        days = recorded_days(record)
        found += of_journal(record.archive, days, record.begin_us, record.end_us + 1, record.seen_us)
    return tuple(sorted(found))


def recorded_days(record: MonthRecord) -> list[str]:
    """Return the days of the month that the ledger of supervision has."""
    if record.archive is None:
        return []
    zone = record.rules.calendar.zone
    month = ledger_month(record.archive, record.month, zone, record.seen_us, record.ledger_days)
    return [one.day for one in month.recorded]


def ledger_days(kept: Iterable[ClosedInput]) -> frozenset[str]:
    """Return the days of the ledger that a closing has seen."""
    names = (one.name for one in kept if one.name.startswith(InputName.LEDGER))
    return frozenset(name.removeprefix(InputName.LEDGER) for name in names)
