"""Code that ``vetlla homes`` and ``vetlla people`` share: the options of dated facts, and how facts are printed."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc, as_day, to_the_second
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile, load
from vetlla.cli.kit.registry import CLOCK, Day, as_note, today
from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import ALWAYS, DatedChange, Fact, FactRecording
from vetlla.store.homes.cells import shown, stored
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.homes.changes import WantedValues

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.columns import RowKind

HISTORY = ("field", "value", "from", "recorded", "by", "source", "correction", "note")

Correct = Annotated[
    bool, typer.Option("--correct", help="Correct what was recorded about the days from then on, until the next value.")
]
Active = Annotated[str | None, typer.Option(metavar="FROM/TO;FROM/", help='All active periods; "" for none.')]
Suspended = Annotated[str | None, typer.Option(metavar="FROM/TO;FROM/", help='All suspended periods; "" for none.')]


class FactReading(NamedTuple):
    """The registry, as it is or as it was known at an earlier time, and the day of which a command shows the facts."""

    connection: sqlite3.Connection
    day: date


class FactView(NamedTuple):
    """Options of a command that shows a home or a person on a day."""

    day: Day = None
    known: Known = ""
    as_json: AsJson = False
    utc: Utc = False
    parameters_file: ParametersFile = None
    state_dir: StateDir = DEFAULT_STATE_DIR

    @contextmanager
    def reading(self) -> Iterator[FactReading]:
        """Yield the registry for reading, and the day. Raises UsageError and StoreError."""
        load(self.parameters_file)  # days and times are on the clock of the service
        day = self.day or today()
        with snapshot(self.state_dir, CLOCK, asked(self.known).known_us) as connection:
            yield FactReading(connection, day)


class FactHistory(NamedTuple):
    """Options of a command that lists every fact about a home or a person."""

    as_json: AsJson = False
    utc: Utc = False
    parameters_file: ParametersFile = None
    state_dir: StateDir = DEFAULT_STATE_DIR

    def tell(self, facts_of: Callable[[sqlite3.Connection, str], Iterable[Fact]], code: str, *, title: str) -> None:
        """Print the facts that ``facts_of`` reads about a code. Raises UsageError and StoreError."""
        load(self.parameters_file)  # times are on the clock of the service
        with snapshot(self.state_dir, CLOCK) as connection:
            facts = facts_of(connection, code)
        _print_facts(facts, as_json=self.as_json, title=title)


class FactEntry(NamedTuple):
    """Options of a change by hand: from which day it holds, and how it is recorded."""

    since: Annotated[
        date | None,
        typer.Option("--from", parser=as_day, metavar="YYYY-MM-DD", help="Day from which it holds. Default: today."),
    ] = None
    correct: Correct = False
    note: Annotated[
        str, typer.Option("--reason", parser=as_note, metavar="TEXT", help="Reason, kept as the note of the fact.")
    ] = ""
    dry_run: DryRun = False
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def wanted(self, kind: RowKind[Any], texts: Mapping[str, str | None], command: str) -> WantedValues:
        """Return the change that options ask for: ``texts`` has the text of each field, None if it is not given.

        Raises UsageError for a wrong text, and if no field is given.
        """
        values = {field: _parsed(kind, field, text) for field, text in texts.items() if text is not None}
        if not values:
            options = ", ".join(f"--{field.replace('_', '-')}" for field in texts)
            raise UsageError("nothing to change", remedy=f"give one of {options}")
        recording = FactRecording(CLOCK.now().utc_us, actor(), command)
        return WantedValues(values, self.since or today(), today(), recording, self.correct, self.note)

    def tell(self, code: str, changes: Sequence[DatedChange]) -> None:
        """Print the facts that were recorded, or that nothing changed."""
        rows = [
            {
                "code": code,
                "field": field,
                "value": shown(field, stored(field, value)),
                "from": _from(change.since),
                "correction": change.correction,
                "dry_run": self.dry_run,
            }
            for change in changes
            for field, value in change.values.items()
        ]
        for row in rows if self.as_json else ():
            print_json(row)
        if self.as_json:
            return
        for row in rows:
            correction = ", a correction" if row["correction"] else ""
            tried = " (dry run: nothing was written)" if self.dry_run else ""
            console().print(f"{code}: {row['field']} {row['value']!r} from {row['from']}{correction}{tried}")
        if not rows:
            console().print(f"{code}: nothing changed")


def _print_facts(facts: Iterable[Fact], *, as_json: bool, title: str) -> None:
    """Print facts: for a machine as objects with UTC times, for a person as a table."""
    rows: list[dict[str, Any]] = [
        {
            "field": fact.field,
            "value": fact.value,
            "from": _from(fact.since),
            "recorded": iso(fact.recorded_us) if as_json else to_the_second(fact.recorded_us),
            "by": fact.by,
            "source": fact.source,
            "correction": fact.correction if as_json else "yes" if fact.correction else "",
            "note": fact.note,
        }
        for fact in facts
    ]
    if not as_json:
        rows = [{**row, "from": row["from"] or "always"} for row in rows]
    print_rows(rows, HISTORY, as_json=as_json, title=title)


def print_fields(row: Mapping[str, Any]) -> None:
    """Print the fields of one home or person that are not empty, a line each."""
    for name, value in row.items():
        if value:
            console().print(f"{name:17} {value}")


def _from(since: date) -> str | None:
    """Return a day from which a value holds; None if it holds since always."""
    return None if since == ALWAYS else str(since)


def _parsed(kind: RowKind[Any], field: str, text: str) -> Any:  # noqa: ANN401 - each field has its type
    if not text.strip() and next(column.required for column in kind.columns if column.name == field):
        raise UsageError(f"{field} is empty")
    try:
        return kind.parse(field, text)
    except ValueError as error:
        raise UsageError(f"{field} {text!r}: {error}") from error
