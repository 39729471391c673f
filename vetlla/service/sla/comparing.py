"""Compares the counts of a month with a threshold. Whole numbers decide; equality keeps the level."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from vetlla.domain.service_levels import LISTED_AT_MOST, LevelFigure, LevelPart, LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from typing import Any

    from vetlla.domain.service_levels import LevelBreach, PartName

HUNDRED: Final = Decimal(100)
_CENT: Final = Decimal("0.01")


def share(name: PartName, numerator: int, denominator: int, threshold: Decimal | int) -> LevelPart:
    """Return the comparison of a share with the percentage that it must reach."""
    percent = Decimal(threshold)
    kept = 100 * numerator >= percent * denominator
    value = _rounded(HUNDRED * numerator, denominator, percent, reached=kept, down=True)
    return LevelPart(name, numerator, denominator, percent, "%", value, _verdict(denominator, kept=kept))


def at_most_one_per(name: PartName, numerator: int, denominator: int, per: int) -> LevelPart:
    """Return the comparison of a count with the most that may be: one for each ``per`` of the denominator."""
    kept = numerator * per <= denominator
    value = _rounded(Decimal(numerator * per), denominator, Decimal(1), reached=kept, down=False)
    return LevelPart(name, numerator, denominator, Decimal(1), f"per {per}", value, _verdict(denominator, kept=kept))


def figure(
    ans: int,
    month: date,
    parts: Sequence[LevelPart],
    breaches: Iterable[LevelBreach] = (),
    breach_count: int | None = None,
    **more: Any,  # noqa: ANN401 - the other fields of LevelFigure
) -> LevelFigure:
    """Return the figures of a level with the verdict of all its parts; ``more`` has other fields of LevelFigure.

    ``breach_count`` is the number of all breaches, if ``breaches`` has only the first ones.
    """
    listed = sorted(breaches, key=lambda one: (one.begun_us or 0, one.home, one.number))
    return LevelFigure(
        ans=ans,
        month=month,
        parts=tuple(parts),
        verdict=combined([part.verdict for part in parts]),
        breaches=tuple(listed[:LISTED_AT_MOST]),
        breach_count=len(listed) if breach_count is None else breach_count,
        **more,
    )


def combined(verdicts: Sequence[LevelVerdict]) -> LevelVerdict:
    """Return the verdict of a level from those of its parts: one that is not kept decides."""
    for decisive in (LevelVerdict.NOT_KEPT, LevelVerdict.NOT_MEASURED, LevelVerdict.KEPT):
        if decisive in verdicts:
            return decisive
    return LevelVerdict.EMPTY if verdicts else LevelVerdict.NOT_MEASURED


def _verdict(denominator: int, *, kept: bool) -> LevelVerdict:
    if not denominator:
        return LevelVerdict.EMPTY
    return LevelVerdict.KEPT if kept else LevelVerdict.NOT_KEPT


def _rounded(scaled: Decimal, denominator: int, threshold: Decimal, *, reached: bool, down: bool) -> Decimal | None:
    """Return a value to the cent. A value that misses its threshold is never shown as equal to it."""
    if not denominator:
        return None
    exact = scaled / denominator
    rounded = exact.quantize(_CENT, ROUND_HALF_UP)
    if reached or (rounded < threshold if down else rounded > threshold):
        return rounded
    return exact.quantize(_CENT, ROUND_FLOOR if down else ROUND_CEILING)
