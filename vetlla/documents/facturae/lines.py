"""A line of an invoice in Facturae.

A deduction is a line with the price and the amount below zero, because a line says from which taxable base it is taken.
The schema's patterns take a minus (docs/invoice-facturae.md says what else is known of it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.fields import Node, field
from vetlla.documents.facturae.figures import finest, number
from vetlla.documents.facturae.sums import amount
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import REFERENCE_MOST
from vetlla.domain.money import CENT, cents

if TYPE_CHECKING:
    from decimal import Decimal

    from vetlla.documents.words import Words
    from vetlla.domain.invoices import InvoiceHeader, InvoiceLine

_HALF_CENT: Final = CENT / 2


def invoice_line(line: InvoiceLine, header: InvoiceHeader, words: Words) -> Node:
    """Return the element of a line. Raises UsageError for what the format cannot hold."""
    unit = words.word("unit", line.unit)
    told = words.text("line", concept=words.word("concept", line.concept), unit=unit)
    units, price = _exact("units", line, line.units), _exact("price", line, line.price)
    cost = cents(units * price)
    return Node(
        "InvoiceLine",
        (
            field("ReceiverContractReference", header.contract, REFERENCE_MOST),
            field("FileReference", header.file, REFERENCE_MOST),
            field("ItemDescription", told, 2500),
            Node("Quantity", number(units)),
            Node("UnitOfMeasure", codes.UNITS),
            Node("UnitPriceWithoutTax", number(price)),
            Node("TotalCost", amount(cost)),
            *_rounding(line, cost, words),
            Node("GrossAmount", amount(line.amount)),
            Node("TaxesOutputs", (_tax(line),)),
            field("AdditionalLineItemInformation", "; ".join(filter(None, (unit, line.reason))), 2500),
            field("ArticleCode", codes.article(line.concept), 20),
        ),
    )


def _tax(line: InvoiceLine) -> Node:
    """Return the rate and base of a line. Its tax is left out: taxes of lines to the cent need not add up."""
    return Node(
        "Tax",
        (
            Node("TaxTypeCode", codes.VAT),
            Node("TaxRate", amount(line.vat)),
            Node("TaxableBase", (Node("TotalAmount", amount(line.amount)),)),
        ),
    )


def _rounding(line: InvoiceLine, cost: Decimal, words: Words) -> tuple[Node, ...]:
    """Return the difference between units by price and an amount that was rounded for each unit, if there is one.

    ``TotalCost`` must be units by price to the cent, and ``GrossAmount`` that less discounts and plus charges.
    """
    difference = line.amount - cost
    if not difference:
        return ()
    if abs(difference) > _HALF_CENT * (abs(line.units) + 1):
        raise UsageError(
            f"{line.concept}: {line.units} units by {line.price} EUR are {cost} EUR, not {line.amount} EUR",
            remedy="give the amount of the line; a difference must not exceed half a cent a unit, by rounding",
        )
    reason = words.text("rounding")
    if difference > 0:
        charge = (field("ChargeReason", reason, 2500), Node("ChargeAmount", amount(difference)))
        return (Node("Charges", (Node("Charge", charge),)),)
    discount = (field("DiscountReason", reason, 2500), Node("DiscountAmount", amount(-difference)))
    return (Node("DiscountsAndRebates", (Node("Discount", discount),)),)


def _exact(what: str, line: InvoiceLine, value: Decimal) -> Decimal:
    """Return a value in the eight decimals of the format; units may be a share of a month with more of them."""
    written = finest(value)
    if what == "price" and written != value:
        raise UsageError(f"{line.concept}: the price {value} has more than eight decimals", remedy="round the price")
    return written
