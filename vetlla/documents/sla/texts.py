"""How the page of service levels writes months, values and durations."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.figures import FigureColumn
from vetlla.domain.service_levels import LevelVerdict, PartName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.documents.words import Words
    from vetlla.domain.service_levels import LevelFigure, LevelPart

_SHARE: Final = FigureColumn("share")
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
    """Return the value of a part; None without a case. Of a count for each number of users, the threshold says it."""
    if part.value is None:
        return None
    return _with_unit(part.value, part.unit, words) if part.unit == "%" else decimal(part.value, words)


def short_result(parts: Sequence[LevelPart], words: Words) -> str:
    """Return the value of the first part that is not kept, else of the main one, without its unit; "" without any."""
    broken = [part for part in parts if part.verdict is LevelVerdict.NOT_KEPT]
    value = next((part.value for part in (*broken, *parts)), None)
    return "" if value is None else decimal(value, words)


def threshold(part: LevelPart, words: Words) -> str:
    """Return what a value must reach, or may not exceed."""
    sign = "≥" if part.unit == "%" else "≤"
    return f"{sign}{_NO_BREAK}{_with_unit(part.threshold, part.unit, words)}"


def of_time(one: LevelFigure) -> bool:
    """Return True for a level whose counts are microseconds."""
    return any(part.name is PartName.AVAILABLE for part in one.parts)


def counted(one: LevelFigure, count: int, words: Words) -> int | str:
    """Return a count of a level; time in hours, minutes and seconds, rounded down."""
    if not of_time(one):
        return count
    seconds = count // SECOND_US
    return f"{words.number(seconds // 3_600)}{_NO_BREAK}h {seconds // 60 % 60}{_NO_BREAK}min {seconds % 60}{_NO_BREAK}s"


def share_text(numerator: int, denominator: int, words: Words) -> str | None:
    """Return a share in percent, rounded down: it never looks whole if a case is missing. None of nothing."""
    if not denominator:
        return None
    return words.with_percent(words.shown(_SHARE, Decimal(10_000 * numerator // denominator).scaleb(-2)))


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
        return f"{decimal(tenths, words)}{_NO_BREAK}s"
    if seconds < _HOURS_FROM_S:
        return _two(seconds // 60, "min", seconds % 60, "s")
    if seconds < _DAYS_FROM_S:
        return _two(seconds // 3600, "h", seconds // 60 % 60, "min")
    return _two(seconds // 86_400, words.text("days"), seconds // 3600 % 24, "h")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    """Return a duration in two units, or in the larger one alone if nothing is left over."""
    rest = f" {small}{_NO_BREAK}{smaller}" if small else ""
    return f"{large}{_NO_BREAK}{unit}{rest}"


def _with_unit(value: Decimal, unit: str, words: Words) -> str:
    if unit == "%":
        return words.with_percent(decimal(value, words))
    number = unit.removeprefix("per ")
    return words.text("per", value=decimal(value, words), number=words.number(int(number)))


def decimal(value: Decimal, words: Words) -> str:
    """Return a number with the signs of the language, without zeros at its end."""
    plain = f"{value:f}"
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    whole, _, rest = plain.partition(".")
    return words.number(int(whole)) + (words.data["numbers"]["decimal"] + rest if rest else "")
