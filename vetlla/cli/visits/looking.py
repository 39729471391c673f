"""``vetlla visits list``, ``route`` and ``free``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit import parameters
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc, as_day, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, today, without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.visits.rows import COLUMNS, visit_fields, visit_row
from vetlla.documents.words import Language
from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.store.homes import queries as home_store
from vetlla.tasks.visits import capacity, looking
from vetlla.tasks.visits import route as routes
from vetlla.tasks.visits.capacity import Asked
from vetlla.tasks.visits.looking import VisitFilter
from vetlla.tasks.visits.route import RouteDay, RouteKind
from vetlla.tasks.visits.scheduling import MINUTES_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.service.visits.free import FreeDay, Window

ROUTE_COLUMNS = ("technician", "from", "to", "home", "district", "purpose", "devices", "minutes", "state", "visit")
FREE_COLUMNS = ("day", "capacity", "scheduled", "planned", "free")
PROPOSALS_MAX = 100
"""Most intervals that are proposed: a person at the telephone names three or four."""

VisitDay = Annotated[date | None, typer.Option("--day", parser=as_day, metavar="YYYY-MM-DD", help="Day of the visits.")]
Base = Annotated[str, typer.Option("--base", help="Only this intervention base.")]
Technician = Annotated[str, typer.Option("--technician", metavar="CODE", help="Only this technician.")]
RouteFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE|-", help="Write to .pdf, .ics, .csv, .xlsx, .json or .ndjson; - for output."),
]


@with_option_groups
def list_(
    day: VisitDay = None,
    base: Base = "",
    technician: Technician = "",
    home: Annotated[str, typer.Option("--home", help="Only this home.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only visits that are not over.")] = False,
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List visits in the order of their promised intervals.

    Example: vetlla visits list --day 2026-12-03 --base NORD
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        base = home_store.must_know_base(connection, base)
        home_store.must_know_home(connection, home)
        wanted = VisitFilter(first=day, last=day, base=base, technician=technician, home=home, is_open=is_open)
        found = looking.visits(connection, rules, wanted, now_us)
    print_some(map(visit_fields if view.as_json else visit_row, found), COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def route(
    day: VisitDay = None,
    base: Base = "",
    technician: Technician = "",
    form: Annotated[
        str,
        typer.Option("--format", metavar="KIND", help="table, pdf, ics, csv, xlsx, json, ndjson. Default: as --out."),
    ] = "",
    out: RouteFile = None,
    known: Known = "",
    language: Annotated[Language, typer.Option("--language", help="Language of a PDF.")] = Language.CA,
    *,
    options: RuleOptions,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the route sheet of a day (default: today), technician by technician, or write it to a file.

    It has codes and districts, and no names. PDF is in Catalan unless --language says otherwise.

    Example: vetlla visits route --day 2026-12-03 --base NORD --out nord.pdf
    """
    kind = _kind(form, out)
    rules = options.rules()
    now_us, known_us = asked(known)
    wanted = RouteDay(day or rules.calendar.date_of(now_us), base, technician)
    sheet = routes.route(state_dir, CLOCK, rules, wanted, known_us)
    if kind is not None and not as_json:
        routes.write_route(out or Path("-"), kind, sheet, language)
        return
    rows = map(routes.row_of, sheet.stops)
    if not print_rows(rows, ROUTE_COLUMNS, as_json=as_json) and not as_json:
        console().print(f"no visits on {sheet.day}", soft_wrap=True)


def _kind(form: str, out: Path | None) -> RouteKind | None:
    """Return the kind of file; None for a table on the screen. Raises UsageError."""
    if form == "table" or (not form and out is None):
        return None
    ending = (out.suffix.lower().removeprefix(".") if out else "") or ("csv" if out else "")
    try:
        return RouteKind(form.lower() or ending)
    except ValueError:
        kinds = ", ".join(RouteKind)
        raise UsageError(f"{form or out}: what kind of route sheet is it?", remedy=f"--format table, {kinds}") from None


@with_option_groups
def free(
    base: Annotated[str, typer.Option("--base", help="The intervention base.")],
    first: Annotated[
        date | None, typer.Option("--from", parser=as_day, metavar="YYYY-MM-DD", help="First day. Default: today.")
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", parser=as_day, metavar="YYYY-MM-DD", help="Last day. Default: the first day.")
    ] = None,
    minutes: Annotated[
        int, typer.Option("--minutes", min=0, max=MINUTES_MAX, help="Propose intervals for a visit of this length.")
    ] = 0,
    number: Annotated[int, typer.Option("--n", min=1, max=PROPOSALS_MAX, help="How many intervals to propose.")] = 3,
    technician: Annotated[
        str, typer.Option("--technician", metavar="CODE", help="Propose only what fits beside this one's visits.")
    ] = "",
    *,
    options: RuleOptions,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the free minutes of a base, day by day, and propose intervals for a visit.

    The capacity (parameter capacity.BASE) less the scheduled visits and the visits of the plan of renewals.

    Example: vetlla visits free --base NORD --from 2026-12-03 --to 2026-12-11 --minutes 40 --n 3
    """
    begin = first or today()
    asked = Asked(base, begin, last or begin, minutes, number, technician)
    found = capacity.free(state_dir, CLOCK, options.rules(), asked)
    if as_json:
        for row in [*map(_day_fields, found.days), *map(_window_fields, found.windows)]:
            print_json(row)
        return
    print_rows(map(_day_fields, found.days), FREE_COLUMNS, as_json=False)
    _tell_windows(found.windows, minutes)
    parameters.footnote(found.values)


def _tell_windows(found: Iterable[Window], minutes: int) -> None:
    windows = list(found)
    for one in windows:
        text = f"proposed: {to_the_second(one.begin_us)} to {to_the_second(one.end_us)} ({one.free} minutes are free)"
        console().print(text, soft_wrap=True)
    if minutes and not windows:
        console().print(f"no interval has {minutes} free minutes on these days", soft_wrap=True)


def _day_fields(day: FreeDay) -> dict[str, Any]:
    return {
        "day": str(day.day),
        "capacity": day.capacity,
        "scheduled": day.scheduled,
        "planned": day.planned,
        "free": day.free,
    }


def _window_fields(one: Window) -> dict[str, Any]:
    return {"from": iso(one.begin_us), "to": iso(one.end_us), "free": one.free}
