"""What lower prices change in the tender's tables (Barcelona 20220428, section 5 and the award by price, section 12).

An offered price may not be above the ceiling. It has at most two decimals; essential telecare may have four, because it
is multiplied by some 2.5 million home-days a month.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.service.budget.tender import RENT, RentLine, cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from vetlla.service.budget.tender import TenderTables

DECIMALS: Final = 2
DECIMALS_OF: Final = {"essential": 4}


class OfferCell(NamedTuple):
    """A cell of the tables at the ceiling and at the offered prices, EUR."""

    year: int | None
    """None for the sum of all periods."""
    concept: str
    ceiling: Decimal
    offered: Decimal

    @property
    def difference(self) -> Decimal:
        """Offered less ceiling, so below zero for a lower price."""
        return self.offered - self.ceiling


def ceilings(tables: TenderTables) -> dict[str, Decimal]:
    """Return the price of each concept in the order of the tables."""
    rents = {f"{RENT}{name}": line.price for name, line in tables.rent.items()}
    return {**dict(tables.prices), **rents}


def offered_tables(tables: TenderTables, offered: Mapping[str, Decimal]) -> TenderTables:
    """Return the tables with offered prices in place of the ceilings.

    Raises UsageError for a concept that the tables do not have, a price above its ceiling or below zero, and a price
    with too many decimals.
    """
    found = ceilings(tables)
    for concept, price in offered.items():
        if concept not in found:
            raise UsageError(f"the tender has no concept {concept}", remedy=f"one of {', '.join(found)}")
        _must_be_allowed(concept, price, found[concept])
    prices = {name: offered.get(name, price) for name, price in dict(tables.prices).items()}
    rents = {name: _line(line, offered.get(f"{RENT}{name}")) for name, line in tables.rent.items()}
    return tables.model_copy(update={"prices": tables.prices.model_copy(update=prices), "rent": rents})


def offer_cells(tables: TenderTables, offered: Mapping[str, Decimal], *, calendar: bool = False) -> Iterator[OfferCell]:
    """Yield each cell of the tables at both prices, in the order of ``cells``. Raises UsageError as above."""
    lower = offered_tables(tables, offered)
    for before, after in zip(cells(tables, calendar=calendar), cells(lower, calendar=calendar), strict=True):
        yield OfferCell(before.year, before.concept, before.amount, after.amount)


def _line(line: RentLine, price: Decimal | None) -> RentLine:
    return line if price is None else line.model_copy(update={"price": price})


def _must_be_allowed(concept: str, price: Decimal, ceiling: Decimal) -> None:
    most = DECIMALS_OF.get(concept, DECIMALS)
    if not price.is_finite() or price < 0:
        raise UsageError(f"{concept}: {price} is no price", remedy=f"give one from 0 to {ceiling}")
    if price > ceiling:
        raise UsageError(f"{concept}: {price:f} is above the ceiling {ceiling}", remedy="offer that or less")
    if price != round(price, most):
        raise UsageError(
            f"{concept}: {price:f} has more than {most} decimals",
            remedy="round it: prices have two decimals, and essential telecare may have four",
        )
