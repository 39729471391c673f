"""The columns of files of homes and people. Devices use the types of texts and days too."""

import re
from collections import defaultdict
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Final, Required

from typing_extensions import TypedDict

from vetlla.domain import telephones
from vetlla.domain.column_types import MAX_TEXT, HomeCode, ShortText, is_short
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind, words
from vetlla.domain.homes import Period, Programme, UserType

FIRST_YEAR = 1990
"""Municipal telecare in Barcelona began in the nineties, so an older date is a typing error."""

_DAY_FIRST = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
_ISO_DAY = re.compile(r"\d{8}|\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
"""It accepts the time of day that some programs add to a date; the time is ignored."""
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{1,2}", re.ASCII)
"""Such a date is ambiguous: in 01/04/24, 24 may be the year 2024 or the day 24."""
REMEMBERED = 1 << 15
"""Most days and weeks in the cache: the file of a full fleet has a million, of which some ten thousand differ."""


@lru_cache(maxsize=REMEMBERED)
def read_day(cell: str) -> date:
    """Return a date written as 2024-04-01, or with the day first, as Catalan and Spanish offices do: 1/4/2024."""
    try:
        if found := _DAY_FIRST.fullmatch(cell):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if _ISO_DAY.fullmatch(cell):
            return date.fromisoformat(cell[:10])
    except ValueError:
        raise ValueError("there is no such day: write 2024-04-01 or 01/04/2024") from None
    if _SHORT_YEAR.fullmatch(cell):
        raise ValueError("is ambiguous as a date: write the year with four digits, 2024-04-01 or 01/04/2024")
    raise ValueError("no date: write 2024-04-01 or 01/04/2024")


def _day_if_any(cell: str) -> date | None:
    return read_day(cell) if cell else None


def _periods(cell: str) -> tuple[Period, ...]:
    """Return periods written as FROM/TO;FROM/, of which the last may have no end."""
    found = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        since, _, until = (one.strip() for one in part.partition("/"))
        try:
            period = Period(read_day(since), read_day(until) if until else None)
        except ValueError:
            raise ValueError("no period: write 2024-04-01/2024-12-31, or 2024-04-01/ without an end") from None
        if period.until is not None and period.until < period.since:
            raise ValueError(f"{part} ends before it begins")
        found.append(period)
    return _in_order(found)


def _in_order(periods: list[Period]) -> tuple[Period, ...]:
    """Return periods by their first days. Raises ValueError if two of them have a day in common."""
    periods.sort(key=lambda period: period.since)
    for before, after in pairwise(periods):
        if before.until is None or after.since <= before.until:
            raise ValueError(f"periods overlap at {after.since}")
    return tuple(periods)


def _programmes(cell: str) -> tuple[Programme, ...]:
    """Return programmes written as NAME:FROM/TO;NAME:FROM/, by name and first day."""
    found: defaultdict[str, list[Period]] = defaultdict(list)
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        name, _, period = part.partition(":")
        name = name.strip()
        if not is_short(name):
            raise ValueError(f"the name of a programme has at most {MAX_TEXT} printable characters")
        found[name] += _periods(period)
    return tuple(Programme(name, one) for name in sorted(found) for one in _in_order(found[name]))


def _telephones(cell: str) -> tuple[str, ...]:
    """Return telephone numbers separated by semicolons. ``imports.home`` checks that they can be called."""
    return tuple(telephones.written(number) for number in map(str.strip, cell.split(";")) if number)


# --- types ------------------------------------------------------------------------------------------------------------

Text = Annotated[ShortText, Cell(Holds.TEXT)]
Code = Annotated[ShortText, Cell(Holds.CODE)]
Day = Annotated[date, ReadBy(read_day), Cell(Holds.DAY)]
DayIfAny = Annotated[date | None, ReadBy(_day_if_any), Cell(Holds.DAY)]
SupportLevel = Annotated[int, words({"1": 1, "2": 2, "3": 3}, "a support level is 1, 2 or 3"), Cell(Holds.NUMBER)]
_YES = dict.fromkeys(("yes", "true", "1", "y", "si", "sí", "s"), True)
_NO = dict.fromkeys(("no", "false", "0", "n"), False)
YesNo = Annotated[bool, words(_YES | _NO, "neither yes nor no"), Cell(Holds.TRUTH)]
Telephones = Annotated[tuple[str, ...], ReadBy(_telephones), Cell(Holds.LIST)]
Periods = Annotated[tuple[Period, ...], ReadBy(_periods), Cell(Holds.LIST)]
Programmes = Annotated[tuple[Programme, ...], ReadBy(_programmes), Cell(Holds.LIST)]


# --- rows -------------------------------------------------------------------------------------------------------------


class HomeRow(TypedDict, total=False):
    """A home that is attended. A column that a file does not have says nothing about the home."""

    code: Required[HomeCode]
    district: Required[Code]
    base: Required[Code]
    level: Required[SupportLevel]
    alone: Required[YesNo]
    language: Text
    phones: Telephones
    active: Periods
    suspended: Periods
    since: DayIfAny


class PersonRow(TypedDict, total=False):
    """A user of a home. A column that a file does not have says nothing about the user."""

    code: Required[Code]
    home: Required[HomeCode]
    user_type: Required[UserType]
    programmes: Programmes
    active: Periods
    suspended: Periods
    since: DayIfAny


HOMES: Final = RowKind(HomeRow)
PEOPLE: Final = RowKind(PersonRow)
