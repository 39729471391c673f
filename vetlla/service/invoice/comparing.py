"""Compares a received invoice with our counts, concept by concept. Every figure must be equal.

Lines of one concept are taken together, because an invoice may split them. A concept that one side does not have is
equal to a line without units. A line of a concept that the contract does not know is a difference, whatever it asks.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.invoice.concepts import COUNTED, REPEATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.invoices import InvoiceLine, ReceivedLine, VatGroup

_ZERO = Decimal(0)
_KNOWN: Final = frozenset({*COUNTED, *REPEATED})


class ConceptFigures(NamedTuple):
    """All lines of a concept in one invoice."""

    units: Decimal
    prices: tuple[Decimal, ...]
    """Different prices of its lines, the lowest first."""
    amount: Decimal
    rates: tuple[Decimal, ...]
    """Different rates of VAT, the lowest first."""

    @property
    def is_nothing(self) -> bool:
        """Return True if the invoice asks nothing for it."""
        return not self.units and not self.amount


NOTHING = ConceptFigures(_ZERO, (), _ZERO, ())


class ComparedConcept(NamedTuple):
    """A concept in both invoices."""

    concept: str
    """For lines without one of our concepts: their text."""
    ours: ConceptFigures
    theirs: ConceptFigures
    differs: tuple[str, ...]
    """Which of ``units``, ``price``, ``amount`` and ``vat`` are not equal; ``concept`` if the contract has it not."""


def compared(ours: Iterable[InvoiceLine], theirs: Iterable[ReceivedLine]) -> list[ComparedConcept]:
    """Return all concepts of both invoices: ours in their order, then those that only the other one has."""
    mine: dict[str, list[tuple[Decimal, Decimal, Decimal, tuple[Decimal, ...]]]] = {}
    other: dict[str, list[tuple[Decimal, Decimal, Decimal, tuple[Decimal, ...]]]] = {}
    for line in ours:
        mine.setdefault(line.concept, []).append((line.units, line.price, line.amount, (line.vat,)))
    for received in theirs:
        name = received.concept or received.text
        other.setdefault(name, []).append((received.units, received.price, received.amount, received.vat))
    every = [*mine, *(name for name in other if name not in mine)]
    return [_compared(name, _figures(mine.get(name, ())), _figures(other.get(name, ()))) for name in every]


def _figures(lines: Sequence[tuple[Decimal, Decimal, Decimal, tuple[Decimal, ...]]]) -> ConceptFigures:
    return ConceptFigures(
        sum((units for units, _, _, _ in lines), _ZERO),
        tuple(sorted({price for _, price, _, _ in lines})),
        sum((amount for _, _, amount, _ in lines), _ZERO),
        tuple(sorted({rate for _, _, _, rates in lines for rate in rates})),
    )


def _compared(concept: str, ours: ConceptFigures, theirs: ConceptFigures) -> ComparedConcept:
    if ours.is_nothing and theirs.is_nothing:
        return ComparedConcept(concept, ours, theirs, () if concept in _KNOWN else ("concept",))
    names = ("units", "price", "amount", "vat")
    differs = tuple(name for name, one, two in zip(names, ours, theirs, strict=True) if one != two)
    return ComparedConcept(concept, ours, theirs, differs)


def compared_sums(
    ours: tuple[Sequence[VatGroup], Decimal, Decimal], theirs: tuple[Sequence[VatGroup], Decimal, Decimal]
) -> list[tuple[str, Decimal, Decimal]]:
    """Return the sums that are not equal: net amount, tax of each rate, total. Each side has its VAT, net and total."""
    (my_vat, my_net, my_total), (their_vat, their_net, their_total) = ours, theirs
    mine = {f"vat_{group.rate.normalize():f}": group.tax for group in my_vat}
    other = {f"vat_{group.rate.normalize():f}": group.tax for group in their_vat}
    pairs = [("net", my_net, their_net)]
    pairs += [(name, mine.get(name, _ZERO), other.get(name, _ZERO)) for name in sorted({*mine, *other})]
    pairs.append(("total", my_total, their_total))
    return [pair for pair in pairs if pair[1] != pair[2]]
