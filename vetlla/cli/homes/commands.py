"""``vetlla homes`` shows what is recorded of a home, as of any day and any time, and records a change."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.kit.facts import Active, FactEntry, FactHistory, FactView, Suspended, print_fields
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import print_json, print_rows
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.homes import SET_HOME
from vetlla.service.homes.columns import HOMES
from vetlla.service.homes.rows import home_row, person_row
from vetlla.store.homes import queries
from vetlla.tasks.homes.changes import set_home

app = typer.Typer(help="Show a home on any day, its history, and record what changes.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The home's code.")]


@app.command()
@with_option_groups
def show(code: Code, view: FactView) -> None:
    """Show a home with its people as they are on a day, or as the registry knew them at an earlier time.

    The field state is active, suspended or out (not in the service on that day).

    Example: vetlla homes show H000123 --day 2026-10-31 --known 2026-11-05
    """
    with view.reading() as (connection, on):
        home = queries.home(connection, code, day=on)
        people = queries.people(connection, [code], day=on)
    row = home_row(home) | {"day": str(on), "state": home.state_on(on).value}
    rows = [person_row(person) | {"state": person.state_on(on, home).value} for person in people]
    if view.as_json:
        print_json({**row, "people": rows})
        return
    print_fields(row)
    print_rows(rows, ("code", "user_type", "state", "programmes"), as_json=False, title="people")


@app.command()
@with_option_groups
def history(code: Code, options: FactHistory) -> None:
    """List every fact about a home in the order in which they were recorded: the value, from which day, by which user.

    A correction of the past is marked; what it corrects stays in the list.

    Example: vetlla homes history H000123
    """
    options.tell(queries.facts_of_home, code, title=f"home {code}")


@app.command("set")
@with_option_groups
def set_(
    code: Code,
    level: Annotated[str | None, typer.Option(metavar="1|2|3", help="Support level.")] = None,
    district: Annotated[str | None, typer.Option()] = None,
    base: Annotated[str | None, typer.Option(help="Intervention base.")] = None,
    language: Annotated[str | None, typer.Option()] = None,
    alone: Annotated[str | None, typer.Option(metavar="yes|no", help="Whether its user lives alone.")] = None,
    phones: Annotated[str | None, typer.Option(help="All telephone numbers, with ; between them.")] = None,
    active: Active = None,
    suspended: Suspended = None,
    *,
    entry: FactEntry,
) -> None:
    """Record new values of a home from a day on; the days before keep theirs.

    A value holds until the next day for which a value of that field is recorded. If such a day has begun, --correct
    must say that the days before it are corrected. A list of periods is replaced as a whole.

    Example: vetlla homes set H000123 --level 3 --from 2026-11-01 --reason "new assessment"
    """
    texts = {
        "level": level,
        "district": district,
        "base": base,
        "language": language,
        "alone": alone,
        "phones": phones,
        "active": active,
        "suspended": suspended,
    }
    wanted = entry.wanted(HOMES, texts, SET_HOME)
    entry.tell(code, set_home(entry.state_dir, CLOCK, code, wanted, dry_run=entry.dry_run))
