"""A received invoice is compared concept by concept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from vetlla.domain.invoices import InvoiceLine, ReceivedLine, VatGroup
from vetlla.service.invoice.comparing import compared, compared_sums

OURS = [
    InvoiceLine("umo", Decimal(3), "emergency", Decimal("99.00"), Decimal("297.00"), Decimal(4)),
    InvoiceLine("rent.gas", Decimal(0), "device_month", Decimal("0.92"), Decimal("0.00"), Decimal(21)),
]


def line(concept: str, units: str, price: str, amount: str, vat: int) -> ReceivedLine:
    return ReceivedLine("text", concept, Decimal(units), Decimal(price), Decimal(amount), (Decimal(vat),))


@pytest.mark.parametrize(
    ("theirs", "differs"),
    [
        ([line("umo", "3.00", "99", "297", 4)], {"umo": ()}),
        ([line("umo", "1", "99", "99", 4), line("umo", "2", "99", "198", 4)], {"umo": ()}),
        ([line("umo", "4", "99", "396", 4)], {"umo": ("units", "amount")}),
        ([line("umo", "3", "99", "297", 21)], {"umo": ("vat",)}),
        ([line("umo", "3", "98", "297", 4)], {"umo": ("price",)}),
        ([], {"umo": ("units", "price", "amount", "vat")}),
        (
            [line("umo", "3", "99", "297", 4), line("", "1", "5", "5", 4)],
            {"umo": (), "text": ("units", "price", "amount", "vat")},
        ),
    ],
)
def test_each_figure_must_be_equal(theirs: list[ReceivedLine], differs: dict[str, tuple[str, ...]]) -> None:
    """A line without units on our side may be left out."""
    found = {one.concept: one.differs for one in compared(OURS, theirs)}
    assert found == {"umo": (), "rent.gas": (), **differs}


def test_sums_that_differ_are_named() -> None:
    one = ([VatGroup(Decimal(4), Decimal(100), Decimal("4.00"))], Decimal(100), Decimal(104))
    two = ([VatGroup(Decimal("4.00"), Decimal(100), Decimal("4.01"))], Decimal(100), Decimal("104.01"))
    assert compared_sums(one, one) == []
    assert [name for name, _, _ in compared_sums(one, two)] == ["vat_4", "total"]
