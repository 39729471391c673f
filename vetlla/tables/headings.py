"""Compares the heading of a file with our columns, and says what is wrong with it. It guesses nothing."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

from vetlla.domain.columns import HIDDEN, Fault
from vetlla.tables.cells import MAX_SHOWN, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.tables.table import Table

TITLE_ROWS = 10
"""Rows that are searched for the heading if row 1 is a title. The result is used only in a message."""


def folded(name: str) -> str:
    """Return a heading without differences of case, of white space, and of the ways to write an accent."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def unknown_headings(
    table: Table, heading: list[str], known: set[str], ours: list[str], *, private: bool
) -> Iterator[Fault]:
    """Yield the headings that are there twice, and those that no column and no mapping has.

    In a ``private`` kind of file no message shows a heading if the file has no known one: row 1 may be a person's data.
    """
    hidden = private and known.isdisjoint(heading)
    for index, name in enumerate(heading):
        written = HIDDEN if hidden else table.heading[index].strip()
        row = table.seen_in.get(table.heading[index], 1)
        if name and name in heading[:index]:
            yield Fault(row, "", written[:MAX_SHOWN], "is a heading twice: rename one of them")
        elif name and name not in known:
            close = get_close_matches(name, ours, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(ours)};"
            where = f"column {index + 1} has an " if hidden else ""
            reason = (
                f"{where}unknown heading: {hint} A mapping file translates it, under [columns], or skips it, in ignore"
            )
            yield Fault(row, "", written[:MAX_SHOWN], reason)


def missing_column(name: str, heading: str) -> Fault:
    """Return the fault of a file that has no column for a value that every row needs."""
    reason = "missing column: add it, or give it under [constants] of a mapping file"
    return Fault(1, name, heading if heading != name else "", reason)


def heading_below_title(table: Table, ours: set[str]) -> Iterator[Fault]:
    """Yield where the heading seems to be. It is not read from there, because the rows above it may be data."""
    for row, cells in islice(table.rows, TITLE_ROWS):
        if isinstance(cells, list) and len(ours & {folded(shown(cell)) for cell in cells}) > 1:
            yield Fault(row, "", "", "looks like the heading: delete the rows above it")
            return
