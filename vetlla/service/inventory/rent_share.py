"""How many monthly rents the days of a rented device are (tender 20220428, section 5: a twelfth each month)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

FINEST: Final = Decimal("0.00000001")
"""Months are shown and invoiced rounded to it: Facturae takes eight decimals."""


class ProRata(StrEnum):
    """What is paid in the months of installation and removal (parameter ``rent.pro_rata``)."""

    DAYS = "days"
    """The rented days divided by the days of the month."""
    WHOLE_MONTH = "whole_month"
    """A whole month for one rented day."""
    NONE = "none"
    """A whole month, and only if every day of it is rented."""


class RentedDays(NamedTuple):
    """Days from the first one up to the one before ``after``."""

    first: date
    after: date


def month_share(days: int, length: int, pro_rata: ProRata) -> Fraction:
    """Return the rents that are paid for a month of ``length`` days, of which ``days`` are rented."""
    match pro_rata:
        case ProRata.DAYS:
            return Fraction(days, length)
        case ProRata.WHOLE_MONTH:
            return Fraction(int(days > 0))
        case ProRata.NONE:
            return Fraction(int(days == length))


def as_decimal(exact: Fraction) -> Decimal:
    """Return a number with the 28 digits of a Decimal."""
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def rounded_months(exact: Fraction) -> Decimal:
    """Return months rounded to ``FINEST``, half up."""
    return as_decimal(exact).quantize(FINEST, ROUND_HALF_UP)


def merged(stretches: Iterable[RentedDays]) -> tuple[RentedDays, ...]:
    """Return the days of all stretches, each day once, as stretches that do not touch."""
    found: list[RentedDays] = []
    for one in sorted(stretches):
        if one.first >= one.after:
            continue
        if found and one.first <= found[-1].after:
            found[-1] = RentedDays(found[-1].first, max(found[-1].after, one.after))
        else:
            found.append(one)
    return tuple(found)


def clipped(stretches: Iterable[RentedDays], first: date, after: date) -> list[RentedDays]:
    """Return the days of stretches that are not before ``first`` and before ``after``."""
    cut = (RentedDays(max(one.first, first), min(one.after, after)) for one in stretches)
    return [one for one in cut if one.first < one.after]


@lru_cache(maxsize=1 << 16)
def rented_months(stretches: tuple[RentedDays, ...], pro_rata: ProRata) -> Fraction:
    """Return the rents of merged stretches, exactly. Results are cached: a park has many devices of one day."""
    days: dict[date, int] = {}
    for one in stretches:
        month = one.first.replace(day=1)
        while month < one.after:
            following = add_months(month, 1)
            part = (min(one.after, following) - max(one.first, month)).days
            days[month] = days.get(month, 0) + part
            month = following
    return sum(
        (month_share(part, (add_months(month, 1) - month).days, pro_rata) for month, part in days.items()), Fraction(0)
    )
