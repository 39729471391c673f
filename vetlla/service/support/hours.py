"""Opening hours as OpenStreetMap writes them: ``Mo-Fr 09:00-14:00,15:00-18:00; Sa 10:00-12:00``.

This is the part of the notation that a desk needs: days of the week and times of a day, with ``;`` between rules. As
there, a later rule replaces an earlier one for its days. Holidays are parameters of their own.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY: Final = "|".join(_DAYS)
_RULE: Final = re.compile(rf"((?:{_DAY})(?:[-,](?:{_DAY}))*) +([\d:,-]+)")
_TIMES: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
MIDNIGHT: Final = 24 * 60


class Shift(NamedTuple):
    """A time of a day in which the desk works, in minutes since midnight on the wall clock."""

    begin: int
    end: int


Week: TypeAlias = tuple[tuple[Shift, ...], ...]
"""The shifts of Monday to Sunday."""
ALWAYS: Final[Week] = ((Shift(0, MIDNIGHT),),) * 7


def week_of(text: str) -> Week:
    """Return the shifts of each day of the week. Raises ValueError with the part that is wrong."""
    if text.strip() == "24/7":
        return ALWAYS
    week: list[tuple[Shift, ...]] = [()] * 7
    for rule in text.split(";"):
        found = _RULE.fullmatch(rule.strip())
        if found is None:
            raise ValueError(f"{rule.strip()!r} is not like Mo-Fr 09:00-14:00,15:00-18:00")
        shifts = _shifts(found[2])
        for day in _days(found[1]):
            week[day] = shifts
    return tuple(week)


def _days(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        if begin > end:
            raise ValueError(f"{part!r} goes past Sunday: write two parts, such as Sa,Su,Mo")
        found += range(begin, end + 1)
    return found


def _shifts(text: str) -> tuple[Shift, ...]:
    found = []
    for part in text.split(","):
        times = _TIMES.fullmatch(part)
        if times is None:
            raise ValueError(f"{part!r} is not a time such as 09:00-14:00")
        begin, end = int(times[1]) * 60 + int(times[2]), int(times[3]) * 60 + int(times[4])
        if not begin < end <= MIDNIGHT:
            raise ValueError(f"{part!r} does not end on its own day after its beginning")
        found.append(Shift(begin, end))
    if any(later.begin < earlier.end for earlier, later in pairwise(found)):
        raise ValueError(f"{text!r}: the times overlap or are not in order")
    return tuple(found)
