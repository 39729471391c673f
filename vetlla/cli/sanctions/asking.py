"""The options of every command that asks for the ledger, and what it is made of."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vetlla.cli.kit.duty_rows import KindsFile, duty_rules
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.domain.errors import UsageError
from vetlla.tasks.sanctions.gathering import LedgerQuestion, gather

if TYPE_CHECKING:
    from vetlla.tasks.sanctions.gathering import LedgerInput

LevelsFile = Annotated[
    Path | None,
    typer.Option(
        "--levels",
        metavar="FILE",
        readable=False,
        help="File of `vetlla sla report --json` with the months, instead of closed months and the record.",
    ),
]
FromRecord = Annotated[
    bool,
    typer.Option("--from-record", help="Compute every month from the record, also those that are closed."),
]


class LedgerOptions(NamedTuple):
    """Options that say what the ledger is made of."""

    levels: LevelsFile = None
    from_record: FromRecord = False
    known: Known = ""
    kinds: KindsFile = None
    parameters_file: ParametersFile = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def gather(self, last: date | None, *, year: int | None = None, running: bool = False) -> LedgerInput:
        """Return what the ledger is made of up to a month.

        Without one it is the last month of ``year``, if that has ended, else the last whole month or the ``running``
        one. Raises UsageError for a month that has not begun.
        """
        if self.levels and self.from_record:
            raise UsageError("--levels takes the months from a file", remedy="leave out --levels or --from-record")
        background_priority()
        rules = duty_rules(self.kinds, self.parameters_file)
        now_us, known_us = asked(self.known)
        this_month = rules.calendar.date_of(now_us).replace(day=1)
        if last is not None and last > this_month:
            raise UsageError(f"{last:%Y-%m} has not begun", remedy="give an earlier month")
        if last is None and year is not None and year < this_month.year:
            last = date(year, 12, 1)
        question = LedgerQuestion(
            last or (this_month if running else None), known_us, self.levels, from_record=self.from_record
        )
        with working("reading the record of each month"):
            return gather(self.state_dir, CLOCK, rules, question)
