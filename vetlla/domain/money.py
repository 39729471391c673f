"""Amounts of money: EUR as exact decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CENT: Final = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Return an amount rounded to the cent; half a cent goes away from zero, and zero has no sign."""
    return amount.quantize(CENT, ROUND_HALF_UP) + 0


def tax_of(base: Decimal, rate: Decimal) -> Decimal:
    """Return the tax on a base, to the cent; ``rate`` is in percent."""
    return cents(base * rate / 100)
