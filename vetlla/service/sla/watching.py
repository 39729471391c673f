"""How the running month will end: how many more breaches a level can bear, and where its share is going."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.service_levels import GroupedBy
from vetlla.service.sla.comparing import HUNDRED

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelFigure, LevelPart

RECENT_DAYS: Final = 7
"""Days whose share the rest of the month is expected to have: a week has each weekday once."""
_CENT: Final = Decimal("0.01")


class Forecast(NamedTuple):
    """How a share will stand at the end of the month if cases come as often as up to now."""

    expected: int
    """Cases of the whole month."""
    value: Decimal
    """The share at its end, in percent, if the rest is as good as the last ``RECENT_DAYS``; rounded down."""
    may_fail: int
    """How many more cases may miss the limit; negative if too many have already."""


def bearable(figure: LevelFigure) -> int | None:
    """Return how many more breaches a level can bear, whatever part they are of; negative if it is broken.

    Undecided cases of the month count as kept, so a part bears more the more of them it has. None without a part.
    """
    undecided = figure.undecided_by_part or (figure.undecided,) * len(figure.parts)
    return min(
        (_bearable(part, open_cases) for part, open_cases in zip(figure.parts, undecided, strict=True)), default=None
    )


def _bearable(part: LevelPart, undecided: int) -> int:
    if part.unit != "%":
        per = int(part.unit.rpartition(" ")[2])
        return part.denominator // per - part.numerator
    whole = part.denominator + undecided
    spare = HUNDRED * (part.numerator + undecided) - part.threshold * whole
    return int((spare / HUNDRED).to_integral_value(ROUND_FLOOR))


def forecast(found: LevelFigure, elapsed_us: int, whole_us: int) -> Forecast | None:
    """Return the forecast of the main part of a level; None without a case. Times are those of the month."""
    if not found.parts or not found.parts[0].denominator or elapsed_us <= 0:
        return None
    part = found.parts[0]
    expected = max(part.denominator, part.denominator * whole_us // min(elapsed_us, whole_us))
    days = sorted((one for one in found.groups if one.by is GroupedBy.DAY), key=lambda one: one.name)[-RECENT_DAYS:]
    recent, of = sum(one.numerator for one in days), sum(one.denominator for one in days)
    if not of:
        recent, of = part.numerator, part.denominator
    kept = Decimal(part.numerator) + Decimal((expected - part.denominator) * recent) / of
    value = (HUNDRED * kept / expected).quantize(_CENT, ROUND_FLOOR)
    allowed = int((expected * (HUNDRED - part.threshold) / HUNDRED).to_integral_value(ROUND_FLOOR))
    return Forecast(expected, value, allowed - (part.denominator - part.numerator))
