"""JSON: a list of objects, or one object a line (NDJSON). Which one it is, its first character tells."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, TextIO

from vetlla.errors import UsageError
from vetlla.tables.cells import MAX_SHOWN, Broken
from vetlla.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.tables.table import Row


def table(text: TextIO) -> Table:
    """Open a file of objects: its heading is every name that any of them has. Raises UsageError for a broken list."""
    content = text.read()
    if content.lstrip()[:1] == "[":
        found = list(enumerate(_list(content), start=1))
    else:
        found = [(row, _line(line)) for row, line in enumerate(content.split("\n"), start=1) if line.strip()]
    seen_in: dict[str, int] = {}
    for row, one in found:
        if isinstance(one, dict):
            for name in one:
                seen_in.setdefault(name, row)
    read = [0]

    def rows() -> Iterator[tuple[int, Row]]:
        for row, one in found:
            read[0] += 1
            if isinstance(one, dict):
                yield row, [_null_is_blank(one, name) for name in seen_in]
            else:
                yield row, one if isinstance(one, Broken) else Broken(json.dumps(one)[:MAX_SHOWN], "is no object")

    return Table(list(seen_in), rows(), lambda: read[0] / max(len(found), 1), seen_in)


def _null_is_blank(one: dict[str, Any], name: str) -> object:
    return None if name not in one else "" if one[name] is None else one[name]


def _list(content: str) -> list[Any]:
    try:
        found: list[Any] = _parsed(content)
    except ValueError as error:
        raise UsageError(f"is no JSON: {error}") from error
    return found


def _line(line: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return _parsed(line)
    except ValueError as error:
        return Broken(line.strip(), f"is no JSON: {error}")


def _parsed(content: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what a document holds. Raises ValueError with the reason if it is none."""
    try:
        return json.loads(content, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, character" if error.lineno > 1 else "character"
        raise ValueError(f"{error.msg} at {where} {error.colno}") from None
    except RecursionError:
        raise ValueError("lists within lists without end") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Broken:
    """Return an object; one that says two things under one name is broken, whichever was meant."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    return Broken(twice, "is there twice in one object")


def _no_number(word: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{word} is no number of JSON")


def write(out: TextIO, heading: Sequence[str], rows: Iterable[Sequence[object]], *, lines: bool) -> None:
    """Write rows as objects, one a line: a JSON list, or NDJSON."""
    encode = json.JSONEncoder(ensure_ascii=False, default=_iso).encode
    told = (encode(dict(zip(heading, row, strict=True))) for row in rows)
    if lines:
        out.writelines(f"{one}\n" for one in told)
        return
    out.write("[\n")
    out.writelines(f",\n{one}" if place else one for place, one in enumerate(told))
    out.write("\n]")


@cache
def _iso(day: object) -> str:
    return str(day)
