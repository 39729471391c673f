"""``vetlla people`` shows what is recorded of a person, as of any day and any time, and records a change."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.kit.facts import Active, FactEntry, FactHistory, FactView, Suspended, print_fields
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import print_json
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.homes import SET_PERSON
from vetlla.service.homes.columns import PEOPLE
from vetlla.service.homes.rows import person_row
from vetlla.store.homes import queries
from vetlla.tasks.homes.changes import set_person

app = typer.Typer(help="Show a person on any day, their history, and record what changes.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The person's code.")]


@app.command()
@with_option_groups
def show(code: Code, view: FactView) -> None:
    """Show a person as they are on a day, or as the registry knew them at an earlier time.

    The field state is active, suspended or out. A person without periods of their own has those of the home.

    Example: vetlla people show P000123A --day 2026-10-31
    """
    with view.reading() as (connection, on):
        person = queries.person(connection, code, day=on)
        home = queries.home(connection, person.home, day=on)
    row = person_row(person) | {"day": str(on), "state": person.state_on(on, home).value}
    if view.as_json:
        print_json(row)
    else:
        print_fields(row)


@app.command()
@with_option_groups
def history(code: Code, options: FactHistory) -> None:
    """List every fact about a person in the order in which they were recorded: value, from which day, by which user.

    A correction of the past is marked; what it corrects stays in the list.

    Example: vetlla people history P000123A
    """
    options.tell(queries.facts_of_person, code, title=f"person {code}")


@app.command("set")
@with_option_groups
def set_(
    code: Code,
    home: Annotated[str | None, typer.Option(help="Code of the home in which the person lives.")] = None,
    user_type: Annotated[str | None, typer.Option(metavar="A|B|C", help="User type.")] = None,
    programmes: Annotated[
        str | None, typer.Option(metavar="NAME:FROM/TO;NAME:FROM/", help='All programmes; "" for none.')
    ] = None,
    active: Active = None,
    suspended: Suspended = None,
    *,
    entry: FactEntry,
) -> None:
    """Record new values of a person from a day on; the days before keep theirs (see `vetlla homes set`).

    Example: vetlla people set P000123A --home H000124 --from 2026-11-01 --reason "moved to the daughter"
    """
    texts = {
        "home": home,
        "user_type": user_type,
        "programmes": programmes,
        "active": active,
        "suspended": suspended,
    }
    wanted = entry.wanted(PEOPLE, texts, SET_PERSON)
    entry.tell(code, set_person(entry.state_dir, CLOCK, code, wanted, dry_run=entry.dry_run))
