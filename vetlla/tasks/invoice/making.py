"""Makes the invoice of a month: its lines from the counts, the reductions, and the sums."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.invoice.agendas import AgendaReason
from vetlla.service.invoice.concepts import AGENDAS, COUNTED, ESSENTIAL, INTEGRATED, REDUCTION, SERVICES
from vetlla.service.invoice.lines import (
    CountedLine,
    Deduction,
    InvoiceNote,
    counted_line,
    deduction_lines,
    month_invoice,
    with_warning,
)
from vetlla.service.invoice.terms import behind, price_of, reduction_vat, vat_rates
from vetlla.service.sla.levels import NUMBERS
from vetlla.tasks.invoice.deducted import recorded_deductions
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.invoices import InvoiceLine
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.invoice.lines import MonthInvoice
    from vetlla.tasks.invoice.counts import InvoiceCounts
    from vetlla.tasks.sla.month import MonthRecord

_BANDS: Final = "invoice.ans_reduction"


def invoice_of(
    counts: InvoiceCounts, deductions: Sequence[Deduction] = (), levels: Sequence[LevelFigure] | None = None
) -> MonthInvoice:
    """Return the invoice of a month. Raises UsageError for a month that is not over.

    ``deductions`` are the reduction by the service levels, if an office has computed it, and those of section 20.2.d
    that are not recorded; recorded ones come from the record. Without a given reduction the parameters say it, or it is
    0.00 with a note that it is not known. ``levels`` are the figures of all levels, if the caller has computed them.
    """
    must_be_over(counts.record)
    lines = [_counted(concept, counts) for concept in COUNTED]
    plain = [one.line for one in lines]
    if not any(one.concept == REDUCTION for one in deductions):
        lines += _by_bands(plain, counts.record, levels)
    for one in (*deductions, *recorded_deductions(counts.record)):
        lines += _deducted(one, plain, counts.record)
    return with_warning(month_invoice(counts.record.month, lines))


def must_be_over(record: MonthRecord) -> None:
    """Raise UsageError if the month was not over at the time as of which it is known."""
    if record.seen_us <= record.end_us:
        raise UsageError(
            f"{record.month:%Y-%m} is not over, as far as is known",
            remedy="give an earlier --month, or a --known after its end",
        )


def _counted(concept: str, counts: InvoiceCounts) -> CountedLine:
    reading = counts.record.reading()
    line = counted_line(concept, counts.units(concept), price_of(concept, reading), vat_rates(reading))
    return CountedLine(line=line, assumed=behind(concept, reading), notes=tuple(_notes(concept, counts)))


def _notes(concept: str, counts: InvoiceCounts) -> Iterator[InvoiceNote]:
    """Yield what was not counted and could be missed."""
    attendance = counts.attendance
    if concept == ESSENTIAL:
        if without := attendance.without_people():
            yield InvoiceNote("homes_without_people", without)
        if attendance.without_home:
            yield InvoiceNote("people_without_home", len(attendance.without_home))
    elif concept == INTEGRATED:
        for name, people in sorted(attendance.unpaid.items()):
            yield InvoiceNote("programme_in_no_concept", len(people), name)
    elif concept == AGENDAS:
        unpaid = Counter(one.reason for one in counts.calls if one.reason is not AgendaReason.PAID)
        for reason, number in sorted(unpaid.items()):
            yield InvoiceNote(f"calls_{reason}", number)


def _deducted(
    one: Deduction,
    plain: Sequence[InvoiceLine],
    record: MonthRecord,
    *,
    assumed: Sequence[str] = (),
    notes: Sequence[InvoiceNote] = (),
) -> Iterator[CountedLine]:
    reading = record.reading()
    lines = deduction_lines(one, plain, vat_rates(reading), reduction_vat(reading))
    names = tuple(sorted({*assumed, *reading.assumed()}))
    told = (_reason(one),) if one.reason else ()
    return (CountedLine(line=line, assumed=names, notes=(*told, *notes)) for line in lines)


def _reason(one: Deduction) -> InvoiceNote:
    if not one.record:
        return InvoiceNote("deducted", about=one.reason)
    return InvoiceNote("deducted_by_record" if one.is_known else "deduction_unknown", one.record, one.reason)


def _by_bands(
    plain: Sequence[InvoiceLine], record: MonthRecord, levels: Sequence[LevelFigure] | None
) -> Iterator[CountedLine]:
    """Yield the reduction by the percentages of the parameters, with a note for each level that is not in it.

    Without bands it is 0.00 with a note.
    """
    reading = record.reading()
    if reading.choice(_BANDS, ("unknown", "bands")) == "unknown":
        nothing = Deduction(REDUCTION, Decimal(0), "")
        yield from _deducted(nothing, plain, record, assumed=[_BANDS], notes=[InvoiceNote("reduction_unknown")])
        return
    banded = {ans for ans in NUMBERS if record.rules.parameters.find(f"{_BANDS}.{ans}", reading.day)}
    percent, broken = Decimal(0), []
    without_band, not_measured = [], []
    for figure in figures(record, list(NUMBERS)) if levels is None else levels:
        share = reading.money(f"{_BANDS}.{figure.ans}") if figure.ans in banded else None
        if figure.verdict is LevelVerdict.NOT_MEASURED:
            not_measured.append(f"ANS {figure.ans}")
        elif figure.verdict is not LevelVerdict.NOT_KEPT:
            continue
        elif share is None:
            without_band.append(f"ANS {figure.ans}")
        else:
            percent += share
            broken.append(f"ANS {figure.ans}: {share} %")
    named = (("levels_without_band", without_band), ("levels_not_measured", not_measured))
    notes = [InvoiceNote(name, len(found), ", ".join(found)) for name, found in named if found]
    services = sum((line.amount for line in plain if line.concept in SERVICES), Decimal(0))
    one = Deduction(REDUCTION, cents(services * percent / 100), ", ".join(broken))
    yield from _deducted(one, plain, record, assumed=reading.assumed(), notes=notes)
