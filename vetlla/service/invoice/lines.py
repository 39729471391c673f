"""Lines of the invoice and their sums. Amounts are rounded to the cent, half away from zero, once a line.

VAT is computed on the sum of the lines of a rate and rounded once. The total is the sum of lines and VAT, so it needs
no rounding of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.invoices import Invoice, InvoiceLine, VatGroup
from vetlla.domain.money import cents, tax_of
from vetlla.service.invoice.concepts import RENT, unit_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from vetlla.domain.invoices import InvoiceHeader

_ZERO = Decimal(0)


class ReductionVat(StrEnum):
    """Which VAT a reduction has (parameter ``invoice.reduction_vat``)."""

    SERVICES = "services"
    RENT = "rent"
    BOTH = "both"


class VatRates(NamedTuple):
    """Rates in percent."""

    services: Decimal
    rent: Decimal


class Deduction(NamedTuple):
    """An amount that the invoice is less by, without VAT."""

    concept: str
    """``ans_reduction`` or ``deduction``."""
    amount: Decimal
    """At least 0; the line has it below zero."""
    reason: str
    record: int = 0
    """Number of the recorded deduction that it is; 0 if a person gave it to the command."""
    day: date | None = None
    """Day of a recorded deduction."""
    is_known: bool = True
    """False for a recorded deduction without an amount."""

    @property
    def named(self) -> str:
        """Its reason, with the number of its record."""
        return f"20.2.d/{self.record}: {self.reason}" if self.record else self.reason


class InvoiceNote(NamedTuple):
    """What a reader must know about a line; documents say it in their language."""

    name: str
    number: int = 0
    about: str = ""
    """A code or a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLine:
    """A line with what is behind it."""

    line: InvoiceLine
    assumed: tuple[str, ...] = ()
    """Names of the parameters behind it that no contract says."""
    notes: tuple[InvoiceNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthInvoice:
    """The lines of a month with their sums, without a header."""

    month: date
    """First day."""
    lines: tuple[CountedLine, ...]
    vat: tuple[VatGroup, ...]
    net: Decimal
    total: Decimal

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of the parameters behind it that no contract says, in the order of the alphabet."""
        return tuple(sorted({name for one in self.lines for name in one.assumed}))

    def under(self, header: InvoiceHeader) -> Invoice:
        """Return the invoice with its header."""
        return Invoice(
            header=header,
            lines=tuple(one.line for one in self.lines),
            vat=self.vat,
            net=self.net,
            total=self.total,
            assumed=self.assumed,
        )


def counted_line(concept: str, units: Decimal, price: Decimal, rates: VatRates) -> InvoiceLine:
    """Return the line of a concept."""
    vat = rates.rent if concept.startswith(RENT) else rates.services
    return InvoiceLine(concept, units, unit_of(concept), price, cents(units * price), vat)


def deduction_lines(
    one: Deduction, counted: Sequence[InvoiceLine], rates: VatRates, where: ReductionVat
) -> list[InvoiceLine]:
    """Return the line of a deduction; two if both rates share it, in proportion to their lines.

    What rounding leaves over is in the line of the rent. Without a counted line it is one of the services.
    """
    net = sum((line.amount for line in counted), _ZERO)
    if where is not ReductionVat.BOTH or not net or not one.amount:
        return [_deduction(one, one.amount, rates.rent if where is ReductionVat.RENT else rates.services)]
    of_services = sum((line.amount for line in counted if line.vat == rates.services), _ZERO)
    first = cents(one.amount * of_services / net)
    parts = ((first, rates.services), (one.amount - first, rates.rent))
    return [_deduction(one, amount, rate) for amount, rate in parts]


def _deduction(one: Deduction, amount: Decimal, rate: Decimal) -> InvoiceLine:
    price = cents(-amount)
    return InvoiceLine(one.concept, Decimal(1), unit_of(one.concept), price, price, rate, one.named)


def with_warning(made: MonthInvoice) -> MonthInvoice:
    """Return an invoice; if its reductions are more than what they are taken of, its last line says so.

    That is the case if the net amount or the base of a rate is below zero.
    """
    if all(value >= 0 for value in (made.net, *(group.base for group in made.vat))):
        return made
    last = made.lines[-1]
    note = InvoiceNote("reduced_below_zero", about=f"{min(made.net, *(group.base for group in made.vat)):f}")
    return replace(made, lines=(*made.lines[:-1], replace(last, notes=(*last.notes, note))))


def month_invoice(month: date, lines: Iterable[CountedLine]) -> MonthInvoice:
    """Return the invoice of a month with its sums."""
    every = tuple(lines)
    bases: dict[Decimal, Decimal] = {}
    for one in every:
        bases[one.line.vat] = bases.get(one.line.vat, _ZERO) + one.line.amount
    vat = tuple(VatGroup(rate, base, tax_of(base, rate)) for rate, base in sorted(bases.items()))
    net = sum(bases.values(), _ZERO)
    return MonthInvoice(month=month, lines=every, vat=vat, net=net, total=net + sum((one.tax for one in vat), _ZERO))
