"""``vetlla people`` shows what is recorded of a person, as of any day and any time, and records a change."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.kit.facts import Active, FactEntry, Suspended, print_facts, print_fields
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json
from vetlla.cli.kit.registry import CLOCK, Day, today
from vetlla.domain.homes import SET_PERSON
from vetlla.service.homes.columns import PEOPLE
from vetlla.service.homes.rows import person_row
from vetlla.store.homes import queries
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.homes.changes import set_person

app = typer.Typer(help="Show a person on any day, their history, and record what changes.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The person's code.")]


@app.command()
def show(
    code: Code,
    day: Day = None,
    known: Known = "",
    as_json: AsJson = False,
    utc: Utc = False,  # noqa: ARG001 - a callback reads it
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show a person as they are on a day, or as the registry knew them at an earlier time.

    The field state is active, suspended or out. A person without periods of their own has those of the home.

    Example: vetlla people show P000123A --day 2026-10-31
    """
    on = day or today()
    with snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        person = queries.person(connection, code, day=on)
        home = queries.home(connection, person.home, day=on)
    row = person_row(person) | {"day": str(on), "state": person.state_on(on, home).value}
    if as_json:
        print_json(row)
    else:
        print_fields(row)


@app.command()
def history(
    code: Code,
    as_json: AsJson = False,
    utc: Utc = False,  # noqa: ARG001 - as above
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List every fact about a person in the order in which they were recorded: value, from which day, by which user.

    A correction of the past is marked; what it corrects stays in the list.

    Example: vetlla people history P000123A
    """
    with snapshot(state_dir, CLOCK) as connection:
        facts = queries.facts_of_person(connection, code)
    print_facts(facts, as_json=as_json, title=f"person {code}")


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
