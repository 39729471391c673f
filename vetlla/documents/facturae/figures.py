"""Numbers of an invoice as Facturae writes them, and the sums that public bodies check.

Annex II of Orden HAP/1650/2015, rule 6: in euros each amount of a line and of the invoice has two decimals, the cost of
a line is units by price, rounded half away from zero, and totals are the sums of what they total. Codes RCF06001 to
RCF06005 of FACe are refusals by this rule.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

_FINEST: Final = Decimal("0.00000001")
"""Most decimals of a price in the schema: eight."""
LARGEST: Final = Decimal(10) ** 12
"""Amounts from here on are refused: no invoice of a service comes near, and all sums stay exact below it."""
_LONGEST: Final = 40
"""Most characters of a number; longer ones could only take time."""


def finest(value: Decimal) -> Decimal:
    """Return a value with at most eight decimals."""
    return value.quantize(_FINEST, ROUND_HALF_UP)


def number(value: Decimal) -> str:
    """Return a number in plain digits with two to eight decimals; equal values give equal texts."""
    whole, _, decimals = f"{finest(value) + 0:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def number_from(text: str) -> Decimal:
    """Return a number of a file. Raises ValueError if it is none, infinite, or out of all proportion."""
    if len(text) > _LONGEST:
        raise ValueError(f"a number has {len(text)} characters")
    try:
        value = Decimal(text.strip())
    except ArithmeticError as error:
        raise ValueError(f"{text!r} is no number") from error
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST or abs(value) >= LARGEST:
        raise ValueError(f"{text!r} is no amount of an invoice")
    return value
