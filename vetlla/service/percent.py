"""Shares in percent as the contract counts them: to a tenth. The count that a share demands is rounded up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

TENTH = Decimal("0.1")


def percent_of(part: int, whole: int) -> Decimal:
    """Return a part in percent of the whole, to a tenth; 0 if the whole is 0."""
    return (Decimal(100 * part) / whole if whole else Decimal(0)).quantize(TENTH, ROUND_HALF_UP)


def count_for(percent: int, whole: int) -> int:
    """Return the smallest count that is at least this percentage of the whole."""
    return -(-whole * percent // 100)
