"""Reads and writes JSON: a list of objects, or one object a line (NDJSON). A file's first character shows which."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

from vetlla.domain.errors import UsageError
from vetlla.domain.tomlfile import is_deep
from vetlla.tables.bounds import MAX_DEPTH, MAX_ROWS
from vetlla.tables.cells import MAX_SHOWN, Broken
from vetlla.tables.table import Table, check_width, too_many_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.tables.table import Row

DAYS_REMEMBERED = 1 << 15
"""Most days that are kept as texts: an export of a full park has a million, of which some ten thousand differ."""
_TOO_DEEP = "too many lists within lists"
_BLANKS = " \t\r\n"
_BLANK = re.compile(rf"[{_BLANKS}]*")
_HALVES = re.compile("[\ud800-\udfff]")


def table(text: TextIO) -> Table:
    """Open a file of objects. Its heading is all names that its objects have. Raises UsageError for a broken list.

    The text is read twice, first for the names. Only one object at a time is held in memory.
    """
    content = text.read()
    seen_in: dict[str, int] = {}
    count = 0
    try:
        for row, one in _rows(content):
            count += 1
            if count > MAX_ROWS:
                raise too_many_rows()
            if isinstance(one, dict):
                for name in one:
                    seen_in.setdefault(name, row)
                check_width(len(seen_in))
    except ValueError as error:
        raise UsageError(f"is no JSON: {error}") from error
    read = [0]

    def rows() -> Iterator[tuple[int, Row]]:
        for row, one in _rows(content):
            read[0] += 1
            if isinstance(one, dict):
                yield row, [_cell(one, name) for name in seen_in]
            else:
                yield row, one if isinstance(one, Broken) else Broken(_told(one), "is no object")

    return Table(list(seen_in), rows(), lambda: read[0] / max(count, 1), seen_in)


def _cell(one: dict[str, Any], name: str) -> object:
    """Return a value as a cell; null becomes a blank cell."""
    if name not in one:
        return None
    value = one[name]
    if value is None:
        return ""
    if isinstance(value, str):
        # JSON can write half of a character as an escape, but no database can store it.
        return value if value.isascii() or not _HALVES.search(value) else Broken("", "holds half of a character")
    return Broken("", _TOO_DEEP) if isinstance(value, list | dict) and is_deep(value, MAX_DEPTH) else value


def _told(value: object) -> str:
    return _TOO_DEEP if is_deep(value, MAX_DEPTH) else json.dumps(value)[:MAX_SHOWN]


def _rows(content: str) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a list, or of the lines, with their numbers. Raises ValueError for a broken list."""
    if content.lstrip(_BLANKS)[:1] == "[":
        yield from enumerate(_elements(content), start=1)
        return
    start = row = 0
    while start < len(content):
        end = content.find("\n", start)
        end = len(content) if end < 0 else end
        row += 1
        if line := content[start:end].strip():
            yield row, _line(line)
        start = end + 1


def _elements(content: str) -> Iterator[Any]:
    """Yield the elements of a list one by one."""
    at = _after_blanks(content, content.index("[") + 1)
    if content[at : at + 1] != "]":
        while True:
            value, at = _read(content, at)
            yield value
            at = _after_blanks(content, at)
            if content[at : at + 1] != ",":
                break
            at = _after_blanks(content, at + 1)
    if content[at : at + 1] != "]":
        raise ValueError(_where("Expecting ',' delimiter", content, at))
    if (end := _after_blanks(content, at + 1)) != len(content):
        raise ValueError(_where("Extra data", content, end))


def _after_blanks(content: str, at: int) -> int:
    found = _BLANK.match(content, at)
    assert found is not None
    return found.end()


def _line(line: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return _whole(line)
    except ValueError as error:
        return Broken(line[:MAX_SHOWN], f"is no JSON: {error}")


def _whole(line: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    value, end = _read(line, 0)
    if end != len(line):
        raise ValueError(_where("Extra data", line, end))
    return value


def _read(content: str, at: int) -> tuple[Any, int]:
    """Return the value at a place, and where it ends. Raises ValueError with the reason if there is none."""
    try:
        return _DECODER.raw_decode(content, at)
    except json.JSONDecodeError as error:
        raise ValueError(_where(error.msg, content, error.pos)) from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _where(what: str, content: str, at: int) -> str:
    line = content.count("\n", 0, at) + 1
    where = f"line {line}, character" if line > 1 else "character"
    return f"{what} at {where} {at - content.rfind(chr(10), 0, at)}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Broken:
    """Return an object. It is broken if a name occurs twice, because either value may be the right one."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    return Broken(twice, "occurs twice in one object")


def _no_number(word: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{word} is not a number in JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number)


def write(out: TextIO, heading: Sequence[str], rows: Iterable[Sequence[object]], *, lines: bool) -> None:
    """Write rows as objects, one a line: a JSON list, or NDJSON."""
    encode = json.JSONEncoder(ensure_ascii=False, default=_iso).encode
    encoded = (encode(dict(zip(heading, row, strict=True))) for row in rows)
    if lines:
        out.writelines(f"{one}\n" for one in encoded)
        return
    out.write("[\n")
    out.writelines(f",\n{one}" if place else one for place, one in enumerate(encoded))
    out.write("\n]")


@lru_cache(maxsize=DAYS_REMEMBERED)
def _iso(day: object) -> str:
    return str(day)
