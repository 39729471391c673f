"""Long answers: all of them to a machine, as many as a person reads to a person."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.output import print_rows, talk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TABLE_ROWS = 500
"""Rows of a table without --limit: nobody reads a park's 200,000, and laying them out takes minutes."""

Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help=f"At most so many (without it {TABLE_ROWS}, with --json all).")
]


def print_some(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], limit: int | None, *, as_json: bool, title: str = ""
) -> int:
    """Print rows as ``print_rows`` does, up to a limit; say how many are left out. Return how many were printed."""
    left = iter(rows)
    count = print_rows(islice(left, limit or (None if as_json else TABLE_ROWS)), columns, as_json=as_json, title=title)
    more = 0 if as_json else sum(1 for _ in left)
    if more:
        talk().print(f"{more} more: --limit N shows more, --json all", markup=False)
    return count
