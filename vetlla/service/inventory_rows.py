"""Rows of a file to values of the inventory and back: what each column may say, and every fault by its name.

A file's own headings and words are translated by a ``Mapping`` (docs/inventory.md); nothing else is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from vetlla.devices import LAST_WEEK, DeviceType, Manufacture, Ownership, Period, Place, Programme, UserType
from vetlla.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_TEXT = 64
"""Longest code, serial, model or language taken: labels have at most some 30 characters."""
MAX_CELL = 2000
"""Longest cell of any kind: a home with fifty suspended periods fits."""
FIRST_YEAR = 1990
"""Municipal telecare in Barcelona began in the nineties; an older device is a slip of the pen."""

REMEMBERED = 1 << 15
"""Different days and weeks remembered: a park's file has a million of them, and some ten thousand different ones."""

Cell: TypeAlias = "Callable[[str], Any]"


class Fault(NamedTuple):
    """What is wrong in one cell. ``row`` counts from 1, the heading being row 1 of a table."""

    row: int
    column: str
    value: str
    reason: str


class Column(NamedTuple):
    """One column a file may have: its name, how its text becomes a value, and whether it may be empty."""

    name: str
    parse: Cell
    required: bool = False


def text(cell: str) -> str:
    """Return a short text."""
    if len(cell) > MAX_TEXT:
        raise ValueError(f"longer than {MAX_TEXT} characters")
    if not cell.isprintable():
        raise ValueError("has unprintable characters")
    return cell


@lru_cache(maxsize=REMEMBERED)
def day(cell: str) -> date:
    """Return a date written as 2024-04-01 or, as Spanish offices write it, 01/04/2024."""
    try:
        if cell[2:3] in "/-" and len(cell) == len("01/04/2024"):
            return date(int(cell[6:]), int(cell[3:5]), int(cell[:2]))
        return date.fromisoformat(cell[:10])
    except ValueError:
        raise ValueError("no date: write 2024-04-01 or 01/04/2024") from None


@lru_cache(maxsize=REMEMBERED)
def made(cell: str) -> Manufacture:
    """Return week and year of manufacture, written 2019-W07, 2019W07 or 07/2019."""
    found = re.fullmatch(r"(\d{4})-?W(\d{1,2})|(\d{1,2})/(\d{4})", cell)
    if not found:
        raise ValueError("no week of manufacture: write 2019-W07 or 07/2019")
    year, week = int(found[1] or found[4]), int(found[2] or found[3])
    if not (1 <= week <= LAST_WEEK and year >= FIRST_YEAR):
        raise ValueError(f"week must be 1 to {LAST_WEEK} and year {FIRST_YEAR} or later")
    return Manufacture(year, week)


def imei(cell: str) -> str:
    """Return an IMEI: 15 digits, the last of which checks the others (3GPP TS 23.003, annex B)."""
    if not (cell.isascii() and cell.isdigit() and len(cell) == 15):
        raise ValueError("an IMEI has 15 digits")
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(cell))
    if sum(number // 10 + number % 10 for number in doubled) % 10:
        raise ValueError("the IMEI's check digit does not fit")
    return cell


def account(cell: str) -> str:
    """Return an account as the receiver registers it (``vetlla accounts``), in capitals: case does not count there.

    DC-09 has hexadecimal digits, SCAIP and MQTT names, dialled lines telephone numbers.
    """
    if not re.fullmatch(r"[0-9A-Za-z+][0-9A-Za-z:+_-]{0,63}", cell):
        raise ValueError("an account has up to 64 letters, digits and :+_-")
    return cell.upper()


def yes_no(cell: str) -> bool:
    """Return a truth written yes/no, true/false, 1/0, or sí/no."""
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
    """Return periods written FROM/TO;FROM/ - the last one open."""
    found = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        since, _, until = part.partition("/")
        period = Period(day(since.strip()), day(until.strip()) if until.strip() else None)
        if period.until is not None and period.until < period.since:
            raise ValueError(f"{part} ends before it begins")
        found.append(period)
    found.sort(key=lambda period: period.since)
    for before, after in pairwise(found):
        if before.until is None or after.since <= before.until:
            raise ValueError(f"periods overlap at {after.since}")
    return tuple(found)


def programmes(cell: str) -> tuple[Programme, ...]:
    """Return programmes written NAME:FROM/TO;NAME:FROM/."""
    found: list[Programme] = []
    for part in filter(None, (part.strip() for part in cell.split(";"))):
        name, _, period = part.partition(":")
        found.extend(Programme(text(name.strip()), one) for one in periods(period))
    return tuple(found)


def one_of(kind: type[DeviceType | Ownership | Place | UserType]) -> Cell:
    """Return a parser of a closed set's words."""
    known: dict[str, Any] = {member.value: member for member in kind}

    def parse(cell: str) -> Any:  # noqa: ANN401 - a member of the set
        try:
            return known[cell]
        except KeyError:
            raise ValueError(f"not one of {', '.join(known)}") from None

    return parse


DEVICES = (
    Column("type", one_of(DeviceType), required=True),
    Column("serial", text, required=True),
    Column("model", text),
    Column("imei", imei),
    Column("account", account),
    Column("made", made),
    Column("ownership", one_of(Ownership), required=True),
    Column("place", one_of(Place), required=True),
    Column("home", text),
    Column("since", day),
    Column("first_installed", day),
    Column("cost_from", day),
    Column("last_battery", day),
    Column("last_maintenance", day),
    Column("guarantee_until", day),
)
HOMES = (
    Column("code", text, required=True),
    Column("district", text, required=True),
    Column("base", text, required=True),
    Column("level", level, required=True),
    Column("alone", yes_no, required=True),
    Column("language", text),
    Column("phones", phones),
    Column("active", periods),
    Column("suspended", periods),
)
PEOPLE = (
    Column("code", text, required=True),
    Column("home", text, required=True),
    Column("user_type", one_of(UserType), required=True),
    Column("programmes", programmes),
)
KINDS: Mapping[str, tuple[Column, ...]] = MappingProxyType({"devices": DEVICES, "homes": HOMES, "people": PEOPLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """How a file's headings and words become ours; what an operator writes in a mapping file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column: the file's heading."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column: {the file's word: ours}."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Our column: what it is in every row, where the file does not have it."""
    ignore: frozenset[str] = frozenset()
    """Headings of the file that mean nothing to us."""


class Reader:
    """Turns rows of cells into values by column name; built once for a file's heading.

    Raises ConfigError when a heading is unknown, twice there, or a required one is missing.
    """

    def __init__(self, what: str, heading: Sequence[str], translation: Translation) -> None:
        columns = KINDS[what]
        known = {column.name for column in columns}
        _refuse("mapping: unknown column", set(translation.columns) - known, f"columns of {what}: {sorted(known)}")
        _refuse("mapping: unknown constant", set(translation.constants) - known, f"columns of {what}: {sorted(known)}")
        _refuse(
            "mapping: values of an unknown column", set(translation.values) - known, "values are named by our column"
        )
        theirs = list(translation.columns.values())
        _refuse("mapping: heading for two columns", {name for name in theirs if theirs.count(name) > 1}, "")
        ours = {translation.columns.get(name, name): name for name in known}
        _refuse("heading twice", {name for name in heading if heading.count(name) > 1}, "rename one of them")
        _refuse(
            "unknown heading",
            set(heading) - set(ours) - translation.ignore - {""},
            'name it in a mapping file, under [columns] or in "ignore"',
        )
        place = {ours[name]: index for index, name in enumerate(heading) if name in ours}
        _refuse(
            "missing column",
            {column.name for column in columns if column.required} - set(place) - set(translation.constants),
            "add it, or give it under [constants] of a mapping file",
        )
        self._width = len(heading)
        self._headings = {name: heading for heading, name in ours.items()}
        self._constants = {
            column.name: _constant(column, translation.constants[column.name])
            for column in columns
            if column.name in translation.constants
        }
        self._cells = [
            (place[column.name], column.name, column.parse, column.required, translation.values.get(column.name, {}))
            for column in columns
            if column.name in place
        ]
        self._absent = dict.fromkeys(known - set(place) - set(self._constants))

    def heading(self, column: str) -> str:
        """Return what the file calls one of our columns."""
        return self._headings.get(column, column)

    def read(self, row: int, cells: Sequence[str]) -> tuple[dict[str, Any], list[Fault]]:
        """Return the row's values by our column names (None where empty), and what is wrong in it."""
        if len(cells) != self._width:
            return {}, [Fault(row, "", "", f"{len(cells)} cells, the heading has {self._width}")]
        values: dict[str, Any] = {**self._absent, **self._constants}
        faults: list[Fault] = []
        for index, name, parse, required, words in self._cells:
            cell = cells[index].strip()
            if not cell:
                values[name] = self._constants.get(name)
                if required and name not in self._constants:
                    faults.append(Fault(row, name, "", "is empty"))
                continue
            try:
                if len(cell) > MAX_CELL:
                    raise ValueError(f"longer than {MAX_CELL} characters")  # noqa: TRY301 - a fault like the others
                values[name] = parse(words.get(cell, cell) if words else cell)
            except ValueError as error:
                faults.append(Fault(row, name, cell[:MAX_TEXT], str(error)))
        return values, faults


def _constant(column: Column, said: str) -> Any:  # noqa: ANN401 - a cell's value
    try:
        return column.parse(said)
    except ValueError as error:
        raise ConfigError(f"mapping: constant {column.name} = {said!r}: {error}") from error


def _refuse(what: str, names: set[str], remedy: str) -> None:
    if names:
        raise ConfigError(f"{what}: {', '.join(sorted(names))}", remedy=remedy)
