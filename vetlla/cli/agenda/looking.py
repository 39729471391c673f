"""``vetlla agenda list`` and ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.agenda.planning import Month
from vetlla.cli.agenda.rows import COLUMNS, call_fields, call_row, print_bars
from vetlla.cli.kit.duty_view import DutyFigures, DutyView
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import Day, without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.charts.shapes import svg
from vetlla.domain.errors import UsageError
from vetlla.service.agenda.summary import OUTCOMES
from vetlla.store.homes.queries import must_know_home
from vetlla.tables.target import finished
from vetlla.tasks.agenda.looking import calls_on, month_summary

if TYPE_CHECKING:
    from datetime import date

    from vetlla.service.agenda.summary import OutcomeLine, Summary

LINE_COLUMNS: Final = ("kind", "level", "week", "planned", *OUTCOMES, "breached")


@with_option_groups
def list_(
    day: Day = None,
    home: Annotated[str, typer.Option("--home", help="Only calls to this home and its people.")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Only calls that are still to be made.")] = False,
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List the calls that are planned for a day, by their time, also those that were made.

    Example: vetlla agenda list --day 2026-12-03 --open
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        must_know_home(connection, home)
        calls = calls_on(connection, rules, day or rules.calendar.date_of(now_us), home)
    made = call_fields if view.as_json else call_row
    rows = [made(call, now_us) for call in calls if not (only_open and call.ended)]
    print_some(rows, COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def report(
    month: Month,
    chart: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE.svg", help="Write the load of each day as a picture.")
    ] = None,
    known: Known = "",
    *,
    view: DutyFigures,
) -> None:
    """Report what became of the calls of a month, by kind, support level and week, and the effective agendas.

    Effective agendas are the follow-up and revaluation calls that were answered in the month, incoming ones included.
    `vetlla invoice explain agendas` lists those that are paid.

    Example: vetlla agenda report --month 2026-11 --svg load.svg
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        found = month_summary(connection, rules, month, now_us)
    if view.as_json:
        print_json(_fields(month, found))
    else:
        _tell(found)
    if chart is not None:
        _draw(chart, month, found)


def _fields(month: date, found: Summary) -> dict[str, Any]:
    return {
        "month": f"{month:%Y-%m}",
        "lines": [_line(line) for line in found.lines],
        "effective": sum(found.effective.values()),
        "effective_by_level": [
            {"kind": kind, "level": level or None, "answered": number}
            for (kind, level), number in sorted(found.effective.items())
        ],
        "load": [
            {"day": str(day), "planned": number, "answered": found.answered_on[day]}
            for day, number in found.planned_on.items()
        ],
    }


def _line(line: OutcomeLine) -> dict[str, Any]:
    counts = {outcome: line.counts[outcome] for outcome in OUTCOMES}
    head = {"kind": line.kind, "level": line.level or None, "week": line.week, "planned": line.planned}
    return head | counts | {"breached": line.breached}


def _tell(found: Summary) -> None:
    print_rows((_line(line) for line in found.lines), LINE_COLUMNS, as_json=False)
    out = console()
    for (kind, level), number in sorted(found.effective.items()):
        out.print(f"answered, {kind} at level {level}: {number}", soft_wrap=True)
    out.print(f"effective agendas: {sum(found.effective.values())}")
    width = max([*found.planned_on.values(), *found.answered_on.values(), 1])
    for name, load in (("planned for each day", found.planned_on), ("answered on each day", found.answered_on)):
        if any(load.values()):
            out.print(f"{name}:")
            print_bars(load, width)


def _draw(chart: Path, month: date, found: Summary) -> None:
    if chart.suffix.lower() != ".svg":
        raise UsageError(f"{chart}: unknown kind of picture", remedy="end its name in .svg; a browser prints it as PDF")
    days = list(found.planned_on)
    title = f"Agenda {month:%Y-%m}: calls for each day"
    names = [f"{day:%d/%m}" for day in days]
    picture = columns(title, names, [Series("planned", [found.planned_on[day] for day in days])], lambda n: f"{n:,}")
    with finished(chart) as out:
        out.write(svg(picture).encode())
