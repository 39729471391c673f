"""``vetlla renewals`` plans to renew every device before the end of its life, without a peak."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit import parameters
from vetlla.cli.kit.due import DueList
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import asked
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import (
    CLOCK,
    background_priority,
    today,
    without_collector,
    working,
)
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.renewals import chart as renewals_chart
from vetlla.cli.renewals.icalendar_file import calendar
from vetlla.cli.renewals.view import (
    VISIT_COLUMNS,
    drawn,
    tell_forecast,
    tell_plan,
    visit_row,
    year_row,
)
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import UsageError
from vetlla.service.calendar import add_months
from vetlla.service.inventory.movements import name
from vetlla.service.renewals.explain import why
from vetlla.tables.source import FileKind
from vetlla.tables.target import finished, kind_of, write
from vetlla.tasks import renewals as tasks

app = typer.Typer(help="Renew every device before the end of its useful life, without a peak.", no_args_is_help=True)
INFEASIBLE = 1
"""Exit status of a plan for which the capacity is not enough."""
DUE_COLUMNS = ("ends", "device", "home", "base", "days_left")

Base = Annotated[str, typer.Option("--base", help="Only this intervention base.")]
From = Annotated[date | None, typer.Option("--from", parser=as_day, metavar="YYYY-MM-DD", help="First day.")]
To = Annotated[date | None, typer.Option("--to", parser=as_day, metavar="YYYY-MM-DD", help="Last day.")]


class PlanKind(StrEnum):
    """Kinds of file to which a plan is written: a table of any kind, or a calendar."""

    CSV = FileKind.CSV
    XLSX = FileKind.XLSX
    JSON = FileKind.JSON
    NDJSON = FileKind.NDJSON
    ICS = "ics"


@app.command()
@with_option_groups
def due(
    until: To = None,
    base: Base = "",
    *,
    listing: DueList,
) -> None:
    """List installed devices whose useful life ends by --to (default: within the lead), the first to end first.

    Example: vetlla renewals due --to 2025-12-31 --base NORD
    """
    values = listing.values()
    on = values.day
    last = until or add_months(on, values.integer("renewal.lead"))
    without_collector()
    rows = (
        {
            "ends": str(one.ends),
            "device": name(one.kept.device),
            "home": one.kept.standing.home,
            "base": its_base,
            "days_left": (one.ends - on).days,
        }
        for one, its_base in tasks.find_due(
            listing.state_dir, CLOCK, values, on, last, base=base, known_us=asked(listing.known).known_us
        )
    )
    listing.tell(rows, DUE_COLUMNS, values)


@app.command()
def plan(
    start: From = None,
    end: To = None,
    growth: Annotated[bool, typer.Option(help="Plan work also for the homes that are expected to join.")] = True,
    parameters_file: ParametersFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Plan the visits from a day (today) to another (the contract's end), with the lowest possible peak in each base.

    The plan replaces an earlier one; visits agreed with people keep their day and number. If a base's capacity is not
    enough, nothing is kept: the answer gives the devices, the missing minutes, and the least capacity that is enough.

    Exit status: 0 planned, 1 the capacity is not enough.

    Example: vetlla renewals plan --from 2024-04-01 --to 2027-03-31 --dry-run
    """
    values = parameters.load_on(parameters_file, start)
    first = values.day
    last = end or values.the_date("contract.end")
    background_priority()
    with working("planning"):
        planned = tasks.plan_renewals(
            state_dir, CLOCK, values, (first, last), today=today(), growth=growth, dry_run=dry_run
        )
    with verdict(INFEASIBLE if planned.plan.shortages else 0):
        tell_plan(planned.plan, planned.serials, values, as_json=as_json)


@app.command()
def show(
    visit: Annotated[int, typer.Argument(metavar="[VISIT]", help="A visit's number.")] = 0,
    home: Annotated[str, typer.Option("--home", help="Only this home.")] = "",
    base: Base = "",
    start: From = None,
    end: To = None,
    reasons: Annotated[bool, typer.Option("--why", help="Explain why each visit is on its day.")] = False,
    limit: Limit = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show planned visits: one, those of a home or a base, or all; --why explains each day.

    Example: vetlla renewals show --home H000123 --why
    """
    found, names = tasks.find_visits(state_dir, CLOCK, number=visit, home=home, base=base, first=start, last=end)
    explain = reasons or bool(visit)
    rows = (visit_row(one, names, explain=explain and as_json) for one in found)
    shown = print_some(rows, VISIT_COLUMNS, limit, as_json=as_json)
    if explain and not as_json:
        for one in found[:shown]:
            for sentence in why(one, names):
                console().print(f"{one.number}: {sentence}", soft_wrap=True)


@app.command()
def agree(
    visit: Annotated[int, typer.Argument(help="The visit's number.")],
    day: Annotated[
        date | None,
        typer.Option("--day", parser=as_day, metavar="YYYY-MM-DD", help="Move it to this one of its possible days."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Mark it as no longer agreed.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Mark a visit as agreed with the people of the home: planning again leaves it on its day.

    Example: vetlla renewals agree 4711 --day 2025-02-03
    """
    agreed, serials = tasks.agree_visit(state_dir, CLOCK, visit, day, agreed=not undo, dry_run=dry_run)
    print_rows([visit_row(agreed, serials, explain=False)], VISIT_COLUMNS, as_json=as_json)


@app.command()
def export(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE|-", help="CSV, XLSX, JSON, NDJSON, or .ics for calendars; - for standard output."),
    ],
    form: Annotated[
        PlanKind | None,
        typer.Option("--format", case_sensitive=False, help="Default: as the file's name ends; - is csv."),
    ] = None,
    base: Base = "",
    start: From = None,
    end: To = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write the plan to a file: a table with reasons, or iCalendar.

    Example: vetlla renewals export nord.ics --base NORD --from 2025-01-01 --to 2025-01-31
    """
    is_calendar = form is PlanKind.ICS or (form is None and file.suffix.lower() == ".ics")
    kind = None if is_calendar else kind_of(file, FileKind(form) if form else None)
    background_priority()
    found, names = tasks.find_visits(state_dir, CLOCK, base=base, first=start, last=end)
    if is_calendar:
        if not found:
            raise UsageError(
                "no visit matches, and a calendar needs at least one", remedy="vetlla renewals show lists them"
            )
        reasons = {one.number: why(one, names) for one in found}
        with finished(file) as out:
            out.write(calendar(found, reasons, to_datetime(CLOCK.now().utc_us)))
        return
    rows = [visit_row(one, names, explain=True) for one in found]
    columns = (*VISIT_COLUMNS, "earliest", "latest", "why")
    write(file, columns, ([row[column] for column in columns] for row in rows), "visits", kind=kind)


@app.command()
def forecast(
    start: From = None,
    end: To = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", readable=False, help="Draw the forecast too, as an .svg file.")
    ] = None,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Forecast installations, digital share and rent per year (by default of the contract).

    Example: vetlla renewals forecast --chart years.svg
    """
    loaded = parameters.load(parameters_file)
    on = loaded.on(start or today())
    first = start or on.the_date("contract.start")
    values = loaded.on(first)
    last = end or values.the_date("contract.end")
    without_collector()
    with working("forecasting"):
        years = tasks.forecast_years(state_dir, CLOCK, values, first, last)
    if chart:
        renewals_chart.save(chart, drawn(years))
    if as_json:
        for year in years:
            print_json(year_row(year))
    else:
        tell_forecast(years)
    parameters.footnote(values)
