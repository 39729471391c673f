"""Prints long answers: a machine gets all rows, a person gets as many as a person reads."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.output import print_rows, talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TABLE_ROWS = 500
"""Rows of a table without --limit. No person reads a fleet's 200,000, and laying them out takes minutes."""

Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help=f"Show at most this many. Default: {TABLE_ROWS}, with --json all.")
]


def print_some(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    limit: int | None,
    *,
    as_json: bool,
    title: str = "",
    total: Callable[[], int] | None = None,
) -> int:
    """Print rows as ``print_rows`` does, up to a limit; print how many are left out. Return how many were printed.

    ``total`` counts all rows. Give it if that is cheaper than reading those that are left.
    """
    left = iter(rows)
    most = limit or (None if as_json else TABLE_ROWS)
    count = print_rows(islice(left, most), columns, as_json=as_json, title=title)
    if as_json or count != most:
        return count
    more = total() - count if total else sum(1 for _ in left)
    if more > 0:
        talk().print(f"{more} more: --limit N shows more, --json all")
    return count
