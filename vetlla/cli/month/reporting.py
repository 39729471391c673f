"""``vetlla month report``: what a director hands over."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.figures import show_figures
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json
from vetlla.cli.kit.parameters import footnote_names
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.documents.words import Language
from vetlla.tasks.activity.files import fields, report_file, write_report
from vetlla.tasks.activity.gathering import month_activity
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.sla.month import month_record

SHOWN: Final = (
    "homes", "people", "changes", "signals", "calls", "emergencies", "agenda", "duties", "digital", "checks",
    "availability", "faults", "actions",
)  # fmt: skip
"""The tables that a terminal shows; --json and files have all of them."""


@with_option_groups
def report(
    month: Annotated[
        date, typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month on the clock of the service.")
    ],
    known: Known = "",
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", metavar="FILE", help="Write to .pdf, .html, .xlsx or .json; repeatable."),
    ] = None,
    language: Annotated[Language, typer.Option("--language", help="Language of a page.")] = Language.CA,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Make the monthly report of activity and management, with the proof of the offered share of ANS 11.

    Homes and people, communications, emergencies one by one, work, keys, inventory, digital share, renewals,
    supervision, availability, service levels, faults. Each figure is the one of the command of its subject. Without
    --out the most important tables are printed. The same record gives the same bytes.

    Example: vetlla month report --month 2026-11 --out november.pdf --out november.xlsx
    """
    background_priority()
    files = [report_file(path) for path in out or ()]
    rules = options.rules()
    with (
        working(f"reading the record of {month:%Y-%m}"),
        month_record(state_dir, CLOCK, rules, month, asked(known).known_us) as record,
    ):
        made = month_activity(MonthSources(state_dir, CLOCK, record))
    for file in files:
        write_report(file, made, rules, language)
    if as_json:
        print_json(fields(made))
    elif not files:
        for name in SHOWN:
            show_figures(made.tables[name])
        footnote_names(made.assumed)
