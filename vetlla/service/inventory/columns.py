"""The columns of the inventory's files: the values that each accepts, and the error for any other value."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vetlla.domain.columns import Column, Holds
from vetlla.domain.devices import LAST_WEEK, DeviceType, Manufacture, Ownership, Period, Place, Programme, UserType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.columns import Parse

MAX_TEXT = 64
"""Longest accepted code, serial, model or language; labels have at most some 30 characters."""
IMEI_DIGITS = 15
FIRST_YEAR = 1990
"""Municipal telecare in Barcelona began in the nineties, so an older date is a typing error."""

_DAY_FIRST = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
_ISO_DAY = re.compile(r"\d{8}|\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
"""It accepts the time of day that some programs add to a date; the time is ignored."""
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{1,2}", re.ASCII)
"""Such a date is ambiguous: in 01/04/24, 24 may be the year 2024 or the day 24."""
REMEMBERED = 1 << 15
"""Most days and weeks in the cache: the file of a full fleet has a million, of which some ten thousand differ."""


def text(cell: str) -> str:
    """Return a short text."""
    if len(cell) > MAX_TEXT:
        raise ValueError(f"longer than {MAX_TEXT} characters")
    if not cell.isprintable():
        raise ValueError("has unprintable characters")
    return cell


@lru_cache(maxsize=REMEMBERED)
def day(cell: str) -> date:
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
def made(cell: str) -> Manufacture:
    """Return the week and year of manufacture, written as 2019-W07, 2019W07 or 07/2019."""
    found = re.fullmatch(r"(\d{4})-?W(\d{1,2})|(\d{1,2})/(\d{4})", cell)
    if not found:
        raise ValueError("no week of manufacture: write 2019-W07 or 07/2019")
    year, week = int(found[1] or found[4]), int(found[2] or found[3])
    if not (1 <= week <= LAST_WEEK and year >= FIRST_YEAR):
        raise ValueError(f"week must be 1 to {LAST_WEEK} and year {FIRST_YEAR} or later")
    return Manufacture(year, week)


def imei(cell: str) -> str:
    """Return an IMEI: 15 digits, of which the last is a check digit (3GPP TS 23.003, annex B)."""
    if not (cell.isascii() and cell.isdigit() and len(cell) == IMEI_DIGITS):
        raise ValueError(f"an IMEI has {IMEI_DIGITS} digits")
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(cell))
    if sum(number // 10 + number % 10 for number in doubled) % 10:
        raise ValueError("the IMEI's check digit does not fit")
    return cell


def account(cell: str) -> str:
    """Return an account in capitals; the receiver ignores its case (``vetlla accounts``).

    An account is hexadecimal digits in DC-09, a name in SCAIP and MQTT, a telephone number on dialled lines.
    """
    if not re.fullmatch(r"[0-9A-Za-z+][0-9A-Za-z:+_-]{0,63}", cell):
        raise ValueError("an account has up to 64 letters, digits and :+_-")
    return cell.upper()


def yes_no(cell: str) -> bool:
    """Return a truth value written as yes/no, true/false, 1/0 or sí/no."""
    match cell.lower():
        case "yes" | "true" | "1" | "y" | "si" | "sí" | "s":
            return True
        case "no" | "false" | "0" | "n":
            return False
    raise ValueError("neither yes nor no")


def level(cell: str) -> int:
    """Return a support level."""
    if cell not in {"1", "2", "3"}:
        raise ValueError("a support level is 1, 2 or 3")
    return int(cell)


def phones(cell: str) -> tuple[str, ...]:
    """Return telephone numbers separated by semicolons."""
    numbers = tuple(number.strip() for number in cell.split(";") if number.strip())
    if any(not re.fullmatch(r"\+?[0-9 ]{3,20}", number) for number in numbers):
        raise ValueError("telephone numbers are digits, separated by ';'")
    return numbers


def periods(cell: str) -> tuple[Period, ...]:
    """Return periods written as FROM/TO;FROM/, of which the last may have no end."""
    found = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        since, _, until = (one.strip() for one in part.partition("/"))
        try:
            period = Period(day(since), day(until) if until else None)
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


def programmes(cell: str) -> tuple[Programme, ...]:
    """Return programmes written as NAME:FROM/TO;NAME:FROM/."""
    found: list[Programme] = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        name, _, period = part.partition(":")
        found.extend(Programme(text(name.strip()), one) for one in periods(period))
    return tuple(found)


def one_of(kind: type[DeviceType | Ownership | Place | UserType]) -> Parse:
    """Return a parser that accepts only the values of an enumeration."""
    known: dict[str, Any] = {member.value: member for member in kind}

    def parse(cell: str) -> Any:  # noqa: ANN401 - a member of the enumeration
        try:
            return known[cell]
        except KeyError:
            raise ValueError(f"not one of {', '.join(known)}") from None

    return parse


DEVICES = (
    Column("type", one_of(DeviceType), required=True),
    Column("serial", text, required=True, holds=Holds.CODE),
    Column("model", text, holds=Holds.TEXT),
    Column("imei", imei, holds=Holds.CODE, digits=IMEI_DIGITS),
    Column("account", account, holds=Holds.CODE),
    Column("made", made),
    Column("ownership", one_of(Ownership), required=True),
    Column("place", one_of(Place), required=True),
    Column("home", text, holds=Holds.CODE),
    Column("since", day, holds=Holds.DAY),
    Column("first_installed", day, holds=Holds.DAY),
    Column("cost_from", day, holds=Holds.DAY),
    Column("last_battery", day, holds=Holds.DAY),
    Column("last_maintenance", day, holds=Holds.DAY),
    Column("guarantee_until", day, holds=Holds.DAY),
)
HOMES = (
    Column("code", text, required=True, holds=Holds.CODE),
    Column("district", text, required=True, holds=Holds.CODE),
    Column("base", text, required=True, holds=Holds.CODE),
    Column("level", level, required=True, holds=Holds.NUMBER),
    Column("alone", yes_no, required=True, holds=Holds.TRUTH),
    Column("language", text, holds=Holds.TEXT),
    Column("phones", phones, holds=Holds.LIST),
    Column("active", periods, holds=Holds.LIST),
    Column("suspended", periods, holds=Holds.LIST),
)
PEOPLE = (
    Column("code", text, required=True, holds=Holds.CODE),
    Column("home", text, required=True, holds=Holds.CODE),
    Column("user_type", one_of(UserType), required=True),
    Column("programmes", programmes, holds=Holds.LIST),
)
KINDS: Mapping[str, tuple[Column, ...]] = MappingProxyType({"devices": DEVICES, "homes": HOMES, "people": PEOPLE})
