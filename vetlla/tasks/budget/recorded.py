"""Invoices of the months that are over: the one that a closed month keeps, else the one that the record gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import as_of
from vetlla.domain.closing import INVOICE
from vetlla.domain.errors import StoreError
from vetlla.service.budget.execution import InvoicedLine
from vetlla.service.calendar import last_whole_month
from vetlla.service.invoice.terms import has_contract
from vetlla.store.months import closings as store
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.budget.invoiced import kept_lines
from vetlla.tasks.invoice.counts import InvoiceCounts
from vetlla.tasks.invoice.making import invoice_of
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.terms import DutyRules


class RecordedInvoices(NamedTuple):
    """The invoices of months."""

    lines: dict[date, list[InvoicedLine]]
    """By the first day of the month. A month of which nothing is paid is left out, because it was not recorded."""
    closed: frozenset[date]
    """Months whose invoice is the one of their last close."""


def recorded_invoices(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    contract: Iterable[date],
    *,
    known_us: int | None = None,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> RecordedInvoices:
    """Return the invoices of the months of a contract, given by their first days, that are over.

    As known at ``known_us``, closes as well. ``tell`` gets how many months are done, and of how many. Amounts that a
    person gives to ``vetlla invoice make`` are in no record. Raises StoreError, ConfigError and UsageError.
    """
    last = last_whole_month(rules.calendar.date_of(as_of(clock, known_us)))
    months = [month for month in contract if month <= last]
    found = _closed(state_dir, clock, known_us)
    closed = frozenset(found) & frozenset(months)
    lines: dict[date, list[InvoicedLine]] = {}
    for place, month in enumerate(months):
        tell(place, len(months))
        of_month = found[month] if month in closed else _counted(state_dir, clock, rules, month, known_us)
        if month in closed or any(line.amount for line in of_month):
            lines[month] = of_month
    return RecordedInvoices(lines, closed)


def _counted(state_dir: Path, clock: Clock, rules: DutyRules, month: date, known_us: int | None) -> list[InvoicedLine]:
    with month_record(state_dir, clock, rules, month, known_us) as record:
        if not has_contract(month, record.last, record.reading()):
            return []
        made = invoice_of(InvoiceCounts(record))
    return [InvoicedLine(one.line.concept, one.line.amount, one.line.vat) for one in made.lines]


def _closed(state_dir: Path, clock: Clock, known_us: int | None) -> dict[date, list[InvoicedLine]]:
    """Return the invoices that closed months keep, each as its last close has it."""
    found = {}
    with snapshot(state_dir, clock) as connection:
        closings = [one for one in store.closings(connection) if known_us is None or one.known_us <= known_us]
        for closing in {one.month: one for one in closings}.values():
            file = store.result(connection, closing, INVOICE)
            if file is None:
                continue
            if not file.is_intact:
                raise StoreError(
                    f"the invoice that {closing.label} keeps is damaged", remedy=f"vetlla month verify {closing.label}"
                )
            found[closing.month] = kept_lines(file.content, f"closed month {closing.label}")
    return found
