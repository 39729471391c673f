"""Lists of what the journal holds: the newest rows of a time, the newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer

from vetlla.cli.kit.moments import Since, Until, Utc, within
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_rows
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vetlla.store.journal.history import Question

S = TypeVar("S")

NEWEST = 50
"""Rows of such a list without --limit."""

Newest = Annotated[int, typer.Option("--limit", min=1, help="How many of the newest to list.")]


class NewestOf(NamedTuple):
    """Options of such a list: its time, its length and its form."""

    since: Since = ""
    until: Until = ""
    limit: Newest = NEWEST
    state_dir: StateDir = DEFAULT_STATE_DIR
    utc: Utc = False
    as_json: AsJson = False

    def within(self) -> tuple[int | None, int | None]:
        """Return beginning and end of the time; None for an open end. Raises UsageError."""
        return within(self.since, self.until)

    def tell(
        self,
        question: Question[S],
        columns: Sequence[str],
        *,
        fields: Callable[[S], Mapping[str, Any]],
        row: Callable[[S], Mapping[str, Any]],
    ) -> None:
        """Print the newest answers: ``fields`` of each for a machine, a ``row`` of a table for a person."""
        with Archive(self.state_dir) as archive:
            found = history.newest(archive, question, self.limit)
            print_rows(map(fields if self.as_json else row, found), columns, as_json=self.as_json)
