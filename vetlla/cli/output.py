"""How answers leave: tables for a person, JSON for a machine; stdout is the answer, stderr the talk."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PIPE_WIDTH = 100_000
"""Columns where no terminal limits them: rows of a table in a pipe stay whole, one line each."""


def console() -> Console:
    """Return the console of the answer: colours and the terminal's width only on a terminal."""
    if sys.stdout.isatty():
        return Console()
    return Console(no_color=True, width=PIPE_WIDTH, highlight=False)


def talk() -> Console:
    """Return the console of the talk (progress, warnings, hints), on stderr."""
    return Console(stderr=True, no_color=not sys.stderr.isatty(), highlight=False)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on one line: a stream of them is NDJSON."""
    sys.stdout.write(json_line(value))
    sys.stdout.flush()


def json_line(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return one JSON document on a line of its own."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) + "\n"


def printable(text: str) -> str:
    """Return text as a terminal may show it: what a peer sent must not move its cursor or colour its lines."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, title: str = "") -> int:
    """Print rows as a table of the named columns, or whole as NDJSON; return how many there were.

    No row: nothing is printed, since silence is the answer of a command that has nothing to say.
    """
    count = 0
    table = Table(*columns, title=title or None, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        count += 1
        if as_json:
            print_json(row)
        else:
            table.add_row(*(Text(_text(row.get(column))) for column in columns))
    if count and not as_json:
        console().print(table)
    return count


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case _:
            return printable(str(value))
