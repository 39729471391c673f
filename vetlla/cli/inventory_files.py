"""Tables in files, read and written by their ending: CSV, XLSX, JSON (a list of objects), NDJSON."""

from __future__ import annotations

import csv
import json
import os
import tomllib
import zipfile
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from vetlla.cli import inventory_xlsx
from vetlla.errors import ConfigError, UsageError
from vetlla.service.inventory_rows import Translation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from io import BufferedReader

ENDINGS = (".csv", ".xlsx", ".json", ".ndjson")
SNIFF = 8_192
"""Bytes of a CSV file looked at for its separator."""


class Unreadable(NamedTuple):
    """A row that can not be taken apart: what stands there, and why."""

    text: str
    reason: str


class Table(NamedTuple):
    """A heading and rows of text, each with its number in the file; ``done`` tells how much was read, 0 to 1.

    ``size`` is the file's, in bytes; 0 where it has none, as a pipe.
    """

    heading: list[str]
    rows: Iterator[tuple[int, list[str] | Unreadable]]
    done: Callable[[], float]
    size: int


@contextmanager
def reading(path: Path, sheet: str = "") -> Iterator[Table]:
    """Open a table. Raises UsageError for an unknown ending, an empty file or one that is not what it says."""
    try:
        match ending(path):
            case ".csv":
                with path.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
                    yield _csv(text, raw, path)
            case ".xlsx":
                with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
                    yield _xlsx(book, path, sheet)
            case ".json":
                found = json.loads(path.read_text(encoding="utf-8-sig"))
                if not isinstance(found, list):
                    raise UsageError(f"{path}: expected a list of objects")
                yield _objects(list(enumerate(found, start=1)), path)
            case _:
                with path.open(encoding="utf-8-sig") as file:
                    yield _objects([(row, _parsed(line)) for row, line in enumerate(file, 1) if line.strip()], path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except csv.Error as error:
        raise UsageError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: {_where(path)}not UTF-8: {error}", remedy="save it as UTF-8") from error
    except (json.JSONDecodeError, InvalidFileException, zipfile.BadZipFile, KeyError) as error:
        raise UsageError(f"{path}: not a {ending(path)[1:]} file: {error}") from error


def write(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]], sheet: str) -> None:
    """Write a table; the file is there when all of it is. Raises UsageError for an unknown ending."""
    kind = ending(path)
    with finished(path) as part:
        match kind:
            case ".xlsx":
                inventory_xlsx.write(part, {sheet: (heading, rows)})
            case ".csv":
                with part.open("w", encoding="utf-8", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(heading)
                    writer.writerows(rows)
            case _:
                with part.open("w", encoding="utf-8") as file:
                    write_json(file, heading, rows, lines=kind == ".ndjson")


def write_json(file: IO[str], heading: Sequence[str], rows: Iterable[Sequence[object]], *, lines: bool) -> None:
    """Write rows as objects, one a line: a JSON list, or NDJSON."""
    encode = json.JSONEncoder(ensure_ascii=False, default=_iso).encode
    between = "\n" if lines else ",\n"
    file.write("" if lines else "[\n")
    for place, row in enumerate(rows):
        file.write((between if place else "") + encode(dict(zip(heading, row, strict=True))))
    file.write("\n" if lines else "\n]")


@contextmanager
def finished(path: Path) -> Iterator[Path]:
    """Give a file to write beside ``path`` that takes its name when it is complete: nobody reads half a report."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


@cache
def _iso(day: object) -> str:
    return str(day)


def ending(path: Path) -> str:
    """Return a file's kind by its ending. Raises UsageError for any but the four."""
    found = path.suffix.lower()
    if found not in ENDINGS:
        raise UsageError(f"{path}: what kind of file is it?", remedy=f"end its name in {', '.join(ENDINGS)}")
    return found


def translation(path: Path | None) -> Translation:
    """Return a mapping file's translation of headings and words; without a file, none."""
    if path is None:
        return Translation()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    unknown = set(document) - {"columns", "values", "constants", "ignore"}
    if unknown:
        raise ConfigError(f"{path}: unknown: {', '.join(sorted(unknown))}")
    tables = {name: document.get(name, {}) for name in ("columns", "values", "constants")}
    if not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"{path}: columns, values and constants are tables")
    ignore = document.get("ignore", [])
    if not (isinstance(ignore, list) and all(isinstance(name, str) for name in ignore)):
        raise ConfigError(f"{path}: ignore is a list of headings", remedy='ignore = ["Observacions"]')
    return Translation(
        columns=_texts(path, tables["columns"]),
        values={name: _texts(path, words) for name, words in tables["values"].items()},
        constants=_texts(path, tables["constants"]),
        ignore=frozenset(ignore),
    )


def _texts(path: Path, table: object) -> Mapping[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigError(f'{path}: write names and words as text: "their word" = "ours"')
    return table


def _csv(text: TextIOWrapper, raw: BufferedReader, path: Path) -> Table:
    # Peeking takes nothing, so that a pipe, which cannot be wound back, is read like a file.
    first_line = raw.peek(SNIFF).partition(b"\n")[0]
    delimiter = max(",;\t", key=lambda mark: first_line.count(mark.encode()))
    lines = csv.reader(text, delimiter=delimiter)
    heading = _heading(next(lines, None), path)
    size = path.stat().st_size
    # Rows are counted, not lines: a quoted cell may hold a line break. Spreadsheets leave rows of nothing but commas.
    rows = ((row, cells) for row, cells in enumerate(lines, start=2) if any(cells))
    return Table(heading, rows, lambda: raw.tell() / size if size and raw.seekable() else 0.0, size)


def _where(path: Path) -> str:
    """Return the line of a file that is not UTF-8, as the beginning of a message; nothing for a pipe."""
    if path.is_file():
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    return f"line {number}: "
    return ""


def _xlsx(book: openpyxl.Workbook, path: Path, sheet: str) -> Table:
    chosen = book[sheet] if sheet in book.sheetnames else book.worksheets[0]
    lines = chosen.iter_rows(values_only=True)
    first = next(lines, None)
    heading = _heading([_text(cell) for cell in first] if first else None, path)
    total = max(chosen.max_row or 1, 1)
    read = [1]

    def rows() -> Iterator[tuple[int, list[str] | Unreadable]]:
        for row, cells in enumerate(lines, start=2):
            read[0] = row
            texts = [_text(cell) for cell in cells[: len(heading)]]
            if any(texts):
                yield row, texts + [""] * (len(heading) - len(texts))

    return Table(heading, rows(), lambda: read[0] / total, path.stat().st_size)


def _objects(found: list[tuple[int, Any]], path: Path) -> Table:
    heading: dict[str, None] = {}
    for _, one in found:
        if isinstance(one, dict):
            heading.update(dict.fromkeys(one))
    names = _heading(list(heading) or None, path)
    read = [0]

    def rows() -> Iterator[tuple[int, list[str] | Unreadable]]:
        for row, one in found:
            read[0] += 1
            if isinstance(one, dict):
                yield row, [_text(one.get(name)) for name in names]
            else:
                yield row, one if isinstance(one, Unreadable) else Unreadable(str(one), "is no object")

    return Table(names, rows(), lambda: read[0] / max(len(found), 1), path.stat().st_size)


def _parsed(line: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        return Unreadable(line.strip(), f"is no JSON: {error.msg} at character {error.colno}")


def _heading(cells: list[str] | None, path: Path) -> list[str]:
    if not cells:
        raise UsageError(f"{path}: is empty", remedy="its first row names the columns")
    while cells and not cells[-1].strip():
        cells.pop()
    return [cell.strip() for cell in cells]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # spreadsheets keep every number as a float
    return ";".join(map(_text, value)) if isinstance(value, list) else str(value)
