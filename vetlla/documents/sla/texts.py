"""How the page of service levels writes months, values and durations."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.documents.words import Words
    from vetlla.domain.service_levels import LevelPart

_NO_BREAK: Final = "\u00a0"
_MINUTES_FROM_S: Final = 120
_HOURS_FROM_S: Final = 7_200
_DAYS_FROM_S: Final = 172_800


def subject(ans: int, words: Words) -> str:
    """Return what a level judges."""
    return words.word("subject", str(ans))


def month_name(month: date, words: Words) -> str:
    """Return a month with its year."""
    return words.text("month_name", month=words.data["dates"]["names"][month.month - 1], year=str(month.year))


def result(part: LevelPart, words: Words) -> str | None:
    """Return the value of a part with its unit; None without a case."""
    return None if part.value is None else _with_unit(part.value, part.unit, words)


def short_result(parts: Sequence[LevelPart], words: Words) -> str:
    """Return the value of the first part that is not kept, else of the main one, without its unit; "" without any."""
    broken = [part for part in parts if part.verdict is LevelVerdict.NOT_KEPT]
    value = next((part.value for part in (*broken, *parts)), None)
    return "" if value is None else _decimal(value, words)


def threshold(part: LevelPart, words: Words) -> str:
    """Return what a value must reach, or may not exceed."""
    sign = "≥" if part.unit == "%" else "≤"
    return f"{sign}{_NO_BREAK}{_with_unit(part.threshold, part.unit, words)}"


def duration(duration_us: int | None, words: Words, *, up: bool = False) -> str | None:
    """Return a duration in the unit that people would choose; None without one.

    It is rounded down, or up: a duration that exceeds a limit by less than is shown must not look equal to it.
    """
    if duration_us is None:
        return None
    tenth_us = SECOND_US // 10
    tenths_us = -(-duration_us // tenth_us) if up else duration_us // tenth_us
    seconds = -(-duration_us // SECOND_US) if up else duration_us // SECOND_US
    if seconds < _MINUTES_FROM_S:
        tenths = Decimal(tenths_us) / 10
        return f"{_decimal(tenths, words)}{_NO_BREAK}s"
    if seconds < _HOURS_FROM_S:
        return f"{seconds // 60}{_NO_BREAK}min {seconds % 60}{_NO_BREAK}s"
    if seconds < _DAYS_FROM_S:
        return f"{seconds // 3600}{_NO_BREAK}h {seconds // 60 % 60}{_NO_BREAK}min"
    return f"{seconds // 86_400}{_NO_BREAK}{words.text('days')} {seconds // 3600 % 24}{_NO_BREAK}h"


def _with_unit(value: Decimal, unit: str, words: Words) -> str:
    if unit == "%":
        return f"{_decimal(value, words)}{_NO_BREAK}%"
    number = unit.removeprefix("per ")
    return words.text("per", value=_decimal(value, words), number=words.number(int(number)))


def _decimal(value: Decimal, words: Words) -> str:
    plain = f"{value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    whole, _, rest = plain.partition(".")
    return words.number(int(whole)) + (words.data["numbers"]["decimal"] + rest if rest else "")
