"""Options and notes that the commands of ``vetlla budget`` share."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import typer

TOTAL: Final = "total"
"""What the column of years says for the sum of all periods."""
NOT_A_CONTRACT: Final = (
    "tender: prices, units and installations are ceilings and estimates of the tender, not yet a contract;"
    " --tender FILE names others"
)

TenderFile = Annotated[
    Path | None,
    typer.Option(
        "--tender",
        envvar="VETLLA_TENDER",
        metavar="FILE",
        readable=False,
        help="File of the tender's values. Default: the installed tender.toml.",
    ),
]


def money(amount: Decimal | None) -> str:
    """Return an amount for people; "" for None."""
    return "" if amount is None else f"{amount:,.2f}"
