"""``vetlla support report``: how many tickets were answered and solved in time, by month and severity."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import print_json, print_rows
from vetlla.cli.kit.parameters import footnotes
from vetlla.cli.reminders.database import database, now
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.support.rows import LevelsFile, levels_from, working_time
from vetlla.domain.clock import last_of_month
from vetlla.domain.errors import UsageError
from vetlla.service.support.report import figures
from vetlla.tables.delimited import write
from vetlla.tasks.support import desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from vetlla.service.support.report import GoalFigures, SeverityFigures

MONTHS_MAX = 120
"""Most months of one report: no contract is longer."""
_GOAL = ("in_time", "late", "percent", "median_s", "max_s")
FIELDS = (
    "period", "severity", "tickets", "open", "paused", "reopened",
    *(f"answer_{name}" for name in _GOAL), *(f"solve_{name}" for name in _GOAL),
)  # fmt: skip
COLUMNS = (
    "period", "severity", "tickets", "open", "paused", "reopened",
    "answered in time", "answer median", "answer max", "solved in time", "solve median", "solve max",
)  # fmt: skip


def report(
    *,
    month: Annotated[
        date | None,
        typer.Option(
            "--month", parser=as_month, metavar="YYYY-MM", help="Month in the desk's zone. Default: this one."
        ),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=as_month, metavar="YYYY-MM", help="Last month, for a report of several."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table with a header.")] = False,
    levels: LevelsFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Report how many tickets of each month and severity were answered and solved in time.

    A ticket belongs to the month in which it was opened; several months have a sum at the end. A share is of the goals
    that were reached, or whose clock has run out; times are working time of these.

    Example: vetlla support report --month 2026-10 --to 2026-12 --csv > quarter.csv
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", remedy="choose one")
    service_levels, at = levels_from(levels), now()
    this = at.astimezone(service_levels.zone).date().replace(day=1)
    months = list(_months(month or this, last or month or this, this))
    with database(state_dir) as db:
        periods = {
            f"{one:%Y-%m}": list(desk.standings(db, service_levels, at, *_bounds(one, service_levels.zone)))
            for one in months
        }
    if len(months) > 1:
        periods[f"{months[0]:%Y-%m}/{months[-1]:%Y-%m}"] = list(chain.from_iterable(periods.values()))
    rows = [(period, row) for period, found in periods.items() for row in figures(found, service_levels.severities)]
    if as_csv:
        write(sys.stdout, FIELDS, (list(_fields(*row).values()) for row in rows))
    elif as_json:
        for row in rows:
            print_json(_fields(*row))
    else:
        print_rows((_row(*row) for row in rows), COLUMNS, as_json=False)
    if assumed := service_levels.assumed(months[-1]):
        footnotes([f"rests on {len(assumed)} values that no contract confirms: vetlla support levels"])


def _months(first: date, last: date, this: date) -> Iterator[date]:
    if max(first, last) > this:
        raise UsageError(f"{max(first, last):%Y-%m} has not begun", remedy="name a month that has")
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if not 1 <= count <= MONTHS_MAX:
        raise UsageError(
            f"from {first:%Y-%m} to {last:%Y-%m} are {count} months", remedy=f"name 1 to {MONTHS_MAX} months"
        )
    for _ in range(count):
        yield first
        first = _next(first)


def _next(first: date) -> date:
    return last_of_month(first) + timedelta(days=1)


def _bounds(first: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    after = _next(first)
    return datetime(first.year, first.month, 1, tzinfo=zone), datetime(after.year, after.month, 1, tzinfo=zone)


def _fields(period: str, row: SeverityFigures) -> dict[str, Any]:
    fields = _counts(period, row)
    for name, goal in (("answer", row.answer), ("solve", row.solve)):
        values = (goal.in_time, goal.late, _number(goal), _seconds(goal.median), _seconds(goal.longest))
        fields |= {f"{name}_{part}": value for part, value in zip(_GOAL, values, strict=True)}
    return fields


def _counts(period: str, row: SeverityFigures) -> dict[str, Any]:
    return {
        "period": period,
        "severity": row.severity or "all",
        "tickets": row.tickets,
        "open": row.open,
        "paused": row.paused,
        "reopened": row.reopened,
    }


def _number(goal: GoalFigures) -> float | None:
    return None if goal.percent is None else float(goal.percent)


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def _row(period: str, row: SeverityFigures) -> dict[str, Any]:
    shown = _counts(period, row)
    for goal, columns in ((row.answer, COLUMNS[6:9]), (row.solve, COLUMNS[9:])):
        share = "-" if goal.percent is None else f"{goal.in_time} of {goal.decided} ({goal.percent} %)"
        times = ("" if time is None else working_time(time) for time in (goal.median, goal.longest))
        shown |= dict(zip(columns, (share, *times), strict=True))
    return shown
