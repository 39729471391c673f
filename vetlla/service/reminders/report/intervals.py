"""Confidence intervals of shares and of their differences, and how many appointments an experiment needs.

Shares of few appointments are the rule here, so the intervals are those that stay right for few: the score interval of
Wilson, and the difference of two such intervals (Newcombe's method 10; Statistics in Medicine 17 (1998), 857 and 873).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from math import ceil, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.95
POWER: Final = 0.8
_DIGITS: Final = Decimal("0.0001")
"""Shares are given to a hundredth of a percent."""


class Share(NamedTuple):
    """A share with its confidence interval; the three are None if the whole is 0."""

    part: int
    whole: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


class Difference(NamedTuple):
    """How much the first share is above the second, with its confidence interval; None if one of them is of nothing."""

    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


def share(part: int, whole: int, confidence: float = CONFIDENCE) -> Share:
    """Return a share with Wilson's score interval."""
    if not whole:
        return Share(part, whole, None, None, None)
    low, high = wilson(part, whole, confidence)
    return Share(part, whole, _rounded(part / whole), _rounded(low), _rounded(high))


def difference(first: Share, second: Share, confidence: float = CONFIDENCE) -> Difference:
    """Return the first share less the second, with Newcombe's interval."""
    if not first.whole or not second.whole:
        return Difference(None, None, None)
    one, other = first.part / first.whole, second.part / second.whole
    one_low, one_high = wilson(first.part, first.whole, confidence)
    other_low, other_high = wilson(second.part, second.whole, confidence)
    value = one - other
    low = value - sqrt((one - one_low) ** 2 + (other_high - other) ** 2)
    high = value + sqrt((one_high - one) ** 2 + (other - other_low) ** 2)
    return Difference(_rounded(value), _rounded(low), _rounded(high))


def wilson(part: int, whole: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the limits of Wilson's score interval, without continuity correction."""
    z = _z((1 + confidence) / 2)
    observed = part / whole
    middle = (observed + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * sqrt(observed * (1 - observed) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def needed(
    before: float, points: float, ratio: float = 1.0, *, confidence: float = CONFIDENCE, power: float = POWER
) -> tuple[int, int] | None:
    """Return how many appointments two groups need, so that a fall of ``before`` by ``points`` is seen.

    ``points`` is a share, and ``ratio`` the size of the second group over that of the first, which keeps ``before``.
    Two-sided test without continuity correction (Fleiss, Statistical Methods for Rates and Proportions). None if the
    share cannot fall so far.
    """
    after = before - points
    if not 0 < before < 1 or after < 0 or points <= 0:
        return None
    mean = (before + ratio * after) / (1 + ratio)
    by_chance = _z((1 + confidence) / 2) * sqrt((1 + 1 / ratio) * mean * (1 - mean))
    by_power = _z(power) * sqrt(before * (1 - before) + after * (1 - after) / ratio)
    first = ((by_chance + by_power) / points) ** 2
    return ceil(first), ceil(first * ratio)


def _z(probability: float) -> float:
    return NormalDist().inv_cdf(probability)


def _rounded(value: float) -> Decimal:
    return Decimal(value).quantize(_DIGITS, ROUND_HALF_EVEN) + 0  # no -0.0000
