"""Refuses an invoice whose sums do not agree, with both figures, before it is written."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.documents.facturae.figures import LARGEST, number
from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents, tax_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.invoices import Invoice

_REMEDY = "make the invoice again; an amount was changed, or was rounded twice"


def amount(value: Decimal) -> str:
    """Return an amount or a rate with its two decimals (rule 6). Raises UsageError if it has more."""
    if cents(value) != value:
        raise UsageError(f"{value} has more than two decimals", remedy="round it to the cent")
    return number(value)


def check_sums(invoice: Invoice) -> None:
    """Check that lines, groups of VAT and totals agree to the cent. Raises UsageError."""
    if not invoice.lines:
        raise UsageError("an invoice without lines cannot be written", remedy="nothing was counted in this month")
    for name, value in _values(invoice):
        if not value.is_finite() or abs(value) >= LARGEST:
            raise UsageError(f"{name} is {value:.3E}, which is no figure of an invoice", remedy=_REMEDY)
    bases: dict[Decimal, Decimal] = {}
    for line in invoice.lines:
        bases[line.vat] = bases.get(line.vat, Decimal(0)) + line.amount
    groups = [group.rate for group in invoice.vat]
    if sorted(groups) != sorted(bases):
        raise UsageError(
            f"lines have the VAT rates {_told(bases)} %, and the invoice has groups of {_told(groups)} %",
            remedy=_REMEDY,
        )
    for group in invoice.vat:
        _agree(f"lines of {group.rate} % VAT", bases[group.rate], f"their base of {group.rate} %", group.base)
        _agree(f"{group.rate} % of {group.base}", tax_of(group.base, group.rate), "the tax", group.tax)
    _agree("all lines", sum(bases.values(), Decimal(0)), "the net total", invoice.net)
    _agree("net and taxes", invoice.net + sum(group.tax for group in invoice.vat), "the total", invoice.total)


def _values(invoice: Invoice) -> Iterator[tuple[str, Decimal]]:
    yield from (("net", invoice.net), ("total", invoice.total))
    for line in invoice.lines:
        for name in ("units", "price", "amount", "vat"):
            yield f"{name} of {line.concept}", getattr(line, name)
    for group in invoice.vat:
        for name in ("rate", "base", "tax"):
            yield f"{name} of a group of VAT", getattr(group, name)


def _agree(left: str, first: Decimal, right: str, second: Decimal) -> None:
    if first != second:
        raise UsageError(f"{left} are {first} EUR, and {right} is {second} EUR", remedy=_REMEDY)


def _told(rates: Iterable[Decimal]) -> str:
    return ", ".join(str(rate) for rate in sorted(rates)) or "none"
