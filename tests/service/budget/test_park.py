"""The park that the tender expects has the purchase option of the tender, within the rounding that it states itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.rigs.tender_park import tender_park
from tests.tasks.budget.test_residual import parameters
from vetlla.service.budget.residual import NotBought, PurchaseOption, purchase
from vetlla.service.budget.tender import cells, purchase_option
from vetlla.tasks.budget.tender import load_tender

TABLES = load_tender()
END = date(2027, 3, 31)
PRINTED = Decimal("4189435.60")
HOMES, TENTH_OF_A_PERCENT = 86_250, Decimal("0.001")


@pytest.fixture(scope="module")
def made() -> PurchaseOption:
    return purchase(tender_park(TABLES), END, parameters().on(END))


def test_the_purchase_option_is_within_the_rounding_of_the_digital_share(made: PurchaseOption) -> None:
    """The tender states its digital share to a tenth of a percent, so 43 terminals more or less are the same to it.

    The difference is 655.45 EUR. The tender takes half of the rent of the period in which a device comes. Here each
    device pays by days, from its own day on: months have different lengths, and each amount is rounded to the cent.
    """
    total = made.totals[-1]
    (digital,) = (one for one in made.totals if one.line == "terminal_digital")
    assert round(Decimal(digital.devices * 100) / HOMES, 1) == Decimal("25.0")
    terminals = int(HOMES * TENTH_OF_A_PERCENT / 2)
    one_terminal = digital.residual / digital.devices
    assert terminals == 43
    assert purchase_option(TABLES) == PRINTED
    assert total.residual - PRINTED == Decimal("655.45")
    assert abs(total.residual - PRINTED) < terminals * one_terminal


def test_each_line_differs_from_the_tender_by_its_days_only(made: PurchaseOption) -> None:
    """Prices agree exactly, and the rent of a line to 0.1 %, or to three devices' months in lines of a few devices."""
    rents = {cell.concept: cell.amount for cell in cells(TABLES) if cell.year is None}
    for one in made.totals[:-1]:
        line = TABLES.rent[one.line]
        assert one.price == line.price * 60 * sum(line.installed)
        printed = rents[f"rent.{one.line}"]
        assert abs(one.paid - printed) < max(printed / 1000, 3 * line.price)


def test_the_first_250_of_each_pilot_are_not_bought(made: PurchaseOption) -> None:
    """The tender's table counts only those after them."""
    free = {one.line: one.left_out[NotBought.PILOT] for one in made.totals[:-1] if one.left_out}
    assert free == dict.fromkeys(("smartwatch", "remote_fall", "voice_extender", "choice"), 250)
