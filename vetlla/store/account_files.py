"""Files of accounts: CSV as spreadsheets write it, JSON as ``vetlla accounts list --json`` does.

A file is read to its end whatever it holds: every fault comes out with its place, column and reason, beside the rows
that are good. A column that the file does not have leaves that field of a known account as it is; an empty cell sets
it back to its default.
"""

from __future__ import annotations

import csv
import json
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.store.account_rows import COLUMNS, WHOLE_NUMBERS, Place, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SEPARATORS = ",;\t"
"""Comma; semicolon, as spreadsheets write where the comma is the decimal sign; tabulator."""
HIDDEN = "(not shown)"
_SHOWN_MAX = 60
_IDENTITY = ("account", "receiver", "line")


class FileFormat(StrEnum):
    """How a file of accounts is written."""

    CSV = "csv"
    JSON = "json"


class Entry(NamedTuple):
    """What a row says of one account: the fields it names, and no others."""

    place: Place
    fields: Mapping[str, Any]


class Fault(NamedTuple):
    """Why a row cannot be taken."""

    where: str
    column: str
    value: str
    reason: str

    def __str__(self) -> str:
        value = f" {self.value!r}" if self.value else ""
        return f"{self.where}, {self.column}{value}: {self.reason}" if self.column else f"{self.where}: {self.reason}"


class AccountFile(NamedTuple):
    """What was read: use ``entries`` only if there is no fault."""

    entries: list[Entry]
    faults: list[Fault]


def read_csv(lines: Iterable[str]) -> AccountFile:
    """Read a CSV file with a header line; the separator is what stands between the header's names."""
    return _collect(_csv_rows(iter(lines)))


def read_json(text: str) -> AccountFile:
    """Read one JSON object per line, or one array of them."""
    return _collect(_json_rows(text))


def _collect(rows: Iterable[tuple[str, dict[str, str]] | Fault]) -> AccountFile:
    entries: list[Entry] = []
    faults: list[Fault] = []
    seen: dict[Place, str] = {}
    for row in rows:
        if isinstance(row, Fault):
            faults.append(row)
            continue
        where, cells = row
        fields, wrong = _fields(where, cells)
        faults += wrong
        if wrong:
            continue
        place = Place(*(fields.pop(column, "") for column in _IDENTITY))
        if (earlier := seen.setdefault(place.folded, where)) != where:
            faults.append(Fault(where, "account", place.account, f"is on {earlier} already"))
        entries.append(Entry(place, fields))
    return AccountFile(entries, faults)


def _fields(where: str, cells: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    fields: dict[str, Any] = {}
    faults: list[Fault] = []
    for column, text in cells.items():
        try:
            fields[column] = parse(column, text)
        except ValueError as error:
            # A name's column is where a key itself is pasted by mistake.
            shown = HIDDEN if column == "key_name" else _short(text)
            faults.append(Fault(where, column, shown, str(error)))
    if "account" not in cells:
        faults.append(Fault(where, "account", "", "is missing"))
    return fields, faults


def _csv_rows(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, str]] | Fault]:
    header = next(lines, "").removeprefix("\ufeff")
    separator = max(SEPARATORS, key=header.count)
    columns = [name.strip().strip('"').lower() for name in header.split(separator)]
    unfit = [*_unknown("line 1", columns), *_missing("line 1", columns)]
    yield from unfit
    if unfit:
        return
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 2
    try:
        for cells in reader:
            where, number = f"line {number}", reader.line_num + 2
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(columns):
                yield Fault(
                    where, "", "", f"has {len(cells)} fields, the header {len(columns)}; one with {separator!r} in it"
                    " needs quotes",
                )  # fmt: skip
                continue
            yield where, dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        yield Fault(f"line {number}", "", "", f"is not CSV: {error}")


def _json_rows(text: str) -> Iterator[tuple[str, dict[str, str]] | Fault]:
    for where, item in _json_items(text.removeprefix("\ufeff")):
        if isinstance(item, Fault):
            yield item
        elif not isinstance(item, dict):
            yield Fault(where, "", "", "is not an object")
        elif unfit := [*_unknown(where, item), *_not_text(where, item)]:
            yield from unfit
        else:
            yield where, {column: "" if value is None else str(value) for column, value in item.items()}


def _json_items(text: str) -> Iterator[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        try:
            yield from ((f"item {number}", item) for number, item in enumerate(json.loads(text), start=1))
        except ValueError as error:
            yield "file", Fault("file", "", "", f"is not JSON: {error}")
        return
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"line {number}"
        if line.strip():
            try:
                yield where, json.loads(line)
            except ValueError as error:
                yield where, Fault(where, "", "", f"is not JSON: {error}")


def _not_text(where: str, item: Mapping[str, object]) -> Iterator[Fault]:
    for column, value in item.items():
        match value:
            case str() | None:
                continue
            case int() if not isinstance(value, bool) and column in WHOLE_NUMBERS:
                continue
            case int() if not isinstance(value, bool) and column in _IDENTITY:
                yield Fault(where, column, str(value), "should be a text in quotes: a number loses leading zeros")
            case _:
                yield Fault(where, column, HIDDEN, "should be a text in quotes")


def _unknown(where: str, columns: Iterable[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for column in columns:
        if column not in COLUMNS:
            close = get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(COLUMNS)}"
            yield Fault(where, "column", _short(column), f"is unknown; {hint}")
        elif column in seen:
            yield Fault(where, "column", column, "is there twice")
        seen.add(column)


def _missing(where: str, columns: Iterable[str]) -> Iterator[Fault]:
    if "account" not in columns:
        yield Fault(where, "column", "account", "is missing: the first line should name the columns")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
