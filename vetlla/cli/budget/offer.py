"""``vetlla budget offer``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.budget.options import NOT_A_CONTRACT, TOTAL, TenderFile, money
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import print_rows
from vetlla.cli.kit.parameters import footnotes
from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents
from vetlla.service.budget.offer import offer_cells
from vetlla.tasks.budget.tender import load_tender

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.service.budget.offer import OfferCell

COLUMNS: Final = ("year", "concept", "ceiling", "offered", "difference", "percent")


def offer(
    price: Annotated[
        list[str],
        typer.Option("--price", metavar="CONCEPT=EUR", help="Offered price, such as rent.smoke=0.50; may be repeated."),
    ],
    calendar: Annotated[
        bool, typer.Option("--calendar", help="With the days of the calendar, and the installations as printed.")
    ] = False,
    file: TenderFile = None,
    as_json: AsJson = False,
) -> None:
    """Compute what lower offered prices change: by concept and year, the sums with VAT, the purchase option, in EUR.

    A table shows the rows that change; --json prints every cell. Prices have at most two decimals, essential telecare
    at most four, and none may be above its ceiling.

    Example: vetlla budget offer --price essential=0.19 --price rent.smoke=0.50
    """
    found = list(offer_cells(load_tender(file), _prices(price), calendar=calendar))
    if as_json:
        print_rows(map(_fields, found), COLUMNS, as_json=True)
        return
    changed = [one for one in found if one.difference]
    print_rows(map(_row, changed or found[-1:]), COLUMNS, as_json=False)
    footnotes([NOT_A_CONTRACT])


def _prices(texts: Iterable[str]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for text in texts:
        concept, sign, amount = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is no price", remedy="write it as essential=0.19")
        if concept in found:
            raise UsageError(f"{concept} has two prices", remedy="give one of them")
        try:
            found[concept] = Decimal(amount)
        except InvalidOperation as error:
            raise UsageError(f"{concept}: {amount!r} is no number", remedy="write it as 0.19") from error
    return found


def _fields(cell: OfferCell) -> dict[str, Any]:
    return {
        "year": cell.year or TOTAL,
        "concept": cell.concept,
        "ceiling": str(cell.ceiling),
        "offered": str(cell.offered),
        "difference": str(cell.difference),
    }


def _row(cell: OfferCell) -> dict[str, Any]:
    return {
        "year": cell.year or TOTAL,
        "concept": cell.concept,
        "ceiling": money(cell.ceiling),
        "offered": money(cell.offered),
        "difference": money(cell.difference),
        "percent": f"{cents(cell.difference * 100 / cell.ceiling)} %" if cell.ceiling else "",
    }
