"""What a close makes from the record of a month, and verification makes again: one entry of ``PARTS`` for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.documents.pdf import pdf
from vetlla.documents.words import Language
from vetlla.domain.closing import INVOICE, SERVICE_LEVELS
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.calendar import months_of
from vetlla.service.invoice.fields import line_fields
from vetlla.service.months.sealing import canonical
from vetlla.service.sla.fields import fields
from vetlla.store.months import closings
from vetlla.tasks.invoice.making import invoice_of
from vetlla.tasks.months import lasting
from vetlla.tasks.sanctions.gathering import fault_rows
from vetlla.tasks.sla.pages import page_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date

    from vetlla.tasks.months.sources import MonthSources
    from vetlla.tasks.sla.month import MonthRecord

FAULTS: Final = "faults.json"
LEVELS_PAGE: Final = "service-levels.pdf"
JSON: Final = "application/json"
PDF: Final = "application/pdf"


class MonthPart(NamedTuple):
    """A result or a page of a month. The same record must give the same bytes on every machine."""

    media: str
    make: Callable[[MonthSources], bytes]
    without_homes: Callable[[Any], Any] | None = None
    """From the JSON value of a result, what the erasure of a home does not change; None: nothing can change it."""
    without_aged: Callable[[Any], Any] | None = None
    """Likewise, what does not change when the journal removes what is too old."""


def service_levels(sources: MonthSources) -> bytes:
    """Return the figures of all levels, as ``vetlla sla report --json`` has them, in one list."""
    return canonical([fields(one) for one in sources.figures])


def levels_page(sources: MonthSources) -> bytes:
    """Return the service levels for people, as ``vetlla sla report --out FILE.pdf`` writes them in Catalan.

    Its day is the one on which the month was closed. Raises UsageError if typst is missing.
    """
    record = sources.record
    day = record.rules.calendar.date_of(record.seen_us)
    return pdf(page_of(sources.figures, record.rules, day, Language.CA), day)


def invoice(sources: MonthSources) -> bytes:
    """Return the lines of the invoice, as ``vetlla invoice make --json`` has them, in one list.

    Amounts that a person gives to that command are in no record, and so not in it. Raises ConfigError without a price.
    """
    counted = invoice_of(sources.counts, levels=sources.figures)
    return canonical([line_fields(counted, one) for one in counted.lines])


def faults(sources: MonthSources) -> bytes:
    """Return the faults up to the end of the month, as ``vetlla sanctions ledger --json`` has them, in one list."""
    return canonical(fault_rows(sources.ledger))


def made(name: str, part: MonthPart, sources: MonthSources, remedy: str = "") -> bytes:
    """Return the bytes of a part. Raises ConfigError or UsageError that names it; ``remedy`` is one more way out."""
    try:
        return part.make(sources)
    except (ConfigError, UsageError) as error:
        kind = ConfigError if isinstance(error, ConfigError) else UsageError
        ways = "; or ".join(filter(None, (error.remedy, remedy)))
        raise kind(f"{name} cannot be made: {error.args[0]}", remedy=ways) from error


def first_month(record: MonthRecord, names: Collection[str]) -> date:
    """Return the first day of the first month that the parts of these names are computed from.

    The ledger of faults computes the earlier months of the contract that were never closed.
    """
    if FAULTS not in names:
        return record.month
    begins = record.reading().the_date("contract.start").replace(day=1)
    closed = {one.month for one in closings.closings(record.connection)}
    earlier = (month for month in months_of(begins, record.month) if month not in closed)
    return min(earlier, default=record.month)


PARTS: Final[Mapping[str, MonthPart]] = {
    SERVICE_LEVELS: MonthPart(JSON, service_levels, lasting.levels_without_homes, lasting.levels_without_aged),
    INVOICE: MonthPart(JSON, invoice, lasting.invoice_without_homes, lasting.invoice_without_aged),
    FAULTS: MonthPart(JSON, faults, lasting.faults_without_homes, lasting.faults_without_aged),
    LEVELS_PAGE: MonthPart(PDF, levels_page),
}
"""Name of the file -> how it is made. The figures of the levels come first, and every closed month has them."""
