"""The columns of the inventory's files: homes, people and devices."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator
from typing_extensions import TypedDict

from vetlla.domain import imei, telephones
from vetlla.domain.column_types import MAX_TEXT, AccountNumber, HomeCode, ShortText, is_short
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind, words
from vetlla.domain.devices import LAST_WEEK, DeviceType, Manufacture, Ownership, Period, Place, Programme, UserType

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
def _day(cell: str) -> date:
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


@lru_cache(maxsize=REMEMBERED)
def _week(cell: str) -> Manufacture:
    """Return the week and year of manufacture, written as 2019-W07, 2019W07 or 07/2019."""
    found = re.fullmatch(r"(\d{4})-?W(\d{1,2})|(\d{1,2})/(\d{4})", cell)
    if not found:
        raise ValueError("no week of manufacture: write 2019-W07 or 07/2019")
    year, week = int(found[1] or found[4]), int(found[2] or found[3])
    if not (1 <= week <= LAST_WEEK and year >= FIRST_YEAR):
        raise ValueError(f"week must be 1 to {LAST_WEEK} and year {FIRST_YEAR} or later")
    return Manufacture(year, week)


def _periods(cell: str) -> tuple[Period, ...]:
    """Return periods written as FROM/TO;FROM/, of which the last may have no end."""
    found = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        since, _, until = (one.strip() for one in part.partition("/"))
        try:
            period = Period(_day(since), _day(until) if until else None)
        except ValueError:
            raise ValueError("no period: write 2024-04-01/2024-12-31, or 2024-04-01/ without an end") from None
        if period.until is not None and period.until < period.since:
            raise ValueError(f"{part} ends before it begins")
        found.append(period)
    found.sort(key=lambda period: period.since)
    for before, after in pairwise(found):
        if before.until is None or after.since <= before.until:
            raise ValueError(f"periods overlap at {after.since}")
    return tuple(found)


def _programmes(cell: str) -> tuple[Programme, ...]:
    """Return programmes written as NAME:FROM/TO;NAME:FROM/."""
    found: list[Programme] = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        name, _, period = part.partition(":")
        name = name.strip()
        if not is_short(name):
            raise ValueError(f"the name of a programme has at most {MAX_TEXT} printable characters")
        found.extend(Programme(name, one) for one in _periods(period))
    return tuple(found)


def _telephones(cell: str) -> tuple[str, ...]:
    """Return telephone numbers separated by semicolons. ``imports.home`` checks that they can be called."""
    return tuple(telephones.written(number) for number in map(str.strip, cell.split(";")) if number)


# --- types ------------------------------------------------------------------------------------------------------------

Text = Annotated[ShortText, Cell(Holds.TEXT)]
Code = Annotated[ShortText, Cell(Holds.CODE)]
Imei = Annotated[str, ReadBy(imei.checked), Cell(Holds.CODE, digits=imei.DIGITS)]
AccountInCapitals = Annotated[AccountNumber, AfterValidator(str.upper)]
"""The receiver ignores the case of an account (``vetlla accounts``)."""
Day = Annotated[date, ReadBy(_day), Cell(Holds.DAY)]
WeekOfManufacture = Annotated[Manufacture, ReadBy(_week)]
SupportLevel = Annotated[int, words({"1": 1, "2": 2, "3": 3}, "a support level is 1, 2 or 3"), Cell(Holds.NUMBER)]
_YES = dict.fromkeys(("yes", "true", "1", "y", "si", "sí", "s"), True)
_NO = dict.fromkeys(("no", "false", "0", "n"), False)
YesNo = Annotated[bool, words(_YES | _NO, "neither yes nor no"), Cell(Holds.TRUTH)]
Telephones = Annotated[tuple[str, ...], ReadBy(_telephones), Cell(Holds.LIST)]
Periods = Annotated[tuple[Period, ...], ReadBy(_periods), Cell(Holds.LIST)]
Programmes = Annotated[tuple[Programme, ...], ReadBy(_programmes), Cell(Holds.LIST)]


# --- rows -------------------------------------------------------------------------------------------------------------


class DeviceRow(TypedDict):
    """A device and where it is."""

    type: DeviceType
    serial: Code
    model: Text | None
    imei: Imei | None
    account: AccountInCapitals | None
    made: WeekOfManufacture | None
    ownership: Ownership
    place: Place
    home: HomeCode | None
    since: Day | None
    first_installed: Day | None
    cost_from: Day | None
    last_battery: Day | None
    last_maintenance: Day | None
    guarantee_until: Day | None


class HomeRow(TypedDict):
    """A home that is attended."""

    code: HomeCode
    district: Code
    base: Code
    level: SupportLevel
    alone: YesNo
    language: Text | None
    phones: Telephones | None
    active: Periods | None
    suspended: Periods | None


class PersonRow(TypedDict):
    """A user of a home."""

    code: Code
    home: HomeCode
    user_type: UserType
    programmes: Programmes | None


DEVICES: Final = RowKind(DeviceRow)
HOMES: Final = RowKind(HomeRow)
PEOPLE: Final = RowKind(PersonRow)
KINDS: Mapping[str, RowKind[Any]] = MappingProxyType({"devices": DEVICES, "homes": HOMES, "people": PEOPLE})
