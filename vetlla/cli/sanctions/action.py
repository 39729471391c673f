"""``vetlla sanctions action``: corrective actions, and ``vetlla sanctions check`` for those that are overdue."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import duty_rules
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, counted, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.cli.sanctions.recording import Evidence, LedgerEntry, Reason, at_us
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.sanctions import ActionEvent
from vetlla.service.sanctions.corrective import Action, ActionState, actions, overdue
from vetlla.service.sanctions.fields import action_fields
from vetlla.store.registry.registry import must_exist
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.sanctions.actions import all_events
from vetlla.tasks.sanctions import acting

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.findings import Finding

app = typer.Typer(no_args_is_help=True, help="Keep the corrective actions against faults and service levels.")
COLUMNS: Final = ("action", "about", "what", "who", "due", "state", "ref")
Number = Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=NUMBER_MAX, help="Number of the action.")]


@app.command("add")
@with_option_groups
def add(
    about: Annotated[str, typer.Argument(metavar="FAULT|ANS", help="What it corrects: a fault or a level (ANS5).")],
    what: Annotated[str, typer.Argument(metavar="WHAT", parser=as_note, help="What is done; no personal data.")],
    who: Annotated[str, typer.Option("--who", parser=as_note, metavar="CODE", help="Code of who is responsible.")],
    due: Annotated[
        date | None, typer.Option("--due", parser=as_day, metavar="YYYY-MM-DD", help="Last day to do it.")
    ] = None,
    ref: Evidence = "",
    *,
    entry: LedgerEntry,
) -> None:
    """Plan a corrective action against a fault or a service level. The ledger shows it beside them.

    Example: vetlla sanctions action add ANS5 "second line to the centre" --who quality --due 2026-12-31
    """
    told = _told(entry, "planned", about=about, what=what.strip(), who=who.strip(), due=due, ref=ref.strip())
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = acting.plan(connection, told, "vetlla sanctions action add", _day(entry))
    _print(done, as_json=entry.as_json)


@app.command("done")
@with_option_groups
def done(number: Number, ref: Evidence = "", note: Reason = "", *, entry: LedgerEntry) -> None:
    """Record that a corrective action was done, and where the evidence is.

    Example: vetlla sanctions action done 3 --ref E-2026-118
    """
    _end(entry, "done", number, note, ref)


@app.command("withdraw")
@with_option_groups
def withdraw(number: Number, reason: Reason, *, entry: LedgerEntry) -> None:
    """Withdraw a corrective action that is not done. It stays in the registry.

    Example: vetlla sanctions action withdraw 3 --reason "recorded twice"
    """
    _end(entry, "withdrawn", number, reason, "")


@app.command("list")
def list_(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that are not done or withdrawn.")] = False,
    known: Known = "",
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the corrective actions: what, against what, who, until when, and how each one stands.

    Example: vetlla sanctions action list --open
    """
    found = _read(state_dir, parameters_file, known)
    left = [one for one in found if not only_open or one.ended is None]
    print_rows(map(action_fields, left), COLUMNS, as_json=as_json)


def check(
    parameters_file: ParametersFile = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR
) -> None:
    """Check that no corrective action is overdue, as a monitoring plug-in.

    Exit status: 0 none is overdue, 1 some are, 3 unknown, because the registry cannot be read.

    Example: vetlla sanctions check
    """

    def read() -> tuple[list[Finding], str]:
        must_exist(state_dir)
        found = _read(state_dir, parameters_file, "")
        late = overdue(found)
        waiting = sum(one.state in {ActionState.OPEN, ActionState.OVERDUE} for one in found)
        return late, f"{counted(waiting, 'open corrective action')}, {len(late)} overdue"

    found, said = read_or_unknown("sanctions", "the corrective actions cannot be read", read)
    print_check("SANCTIONS", found, said, as_json=as_json)


def _read(state_dir: Path, parameters_file: Path | None, known: str) -> list[Action]:
    rules = duty_rules(None, parameters_file)
    now_us, known_us = asked(known)
    with snapshot(state_dir, CLOCK, known_us) as connection:
        return actions(all_events(connection), rules.calendar.date_of(now_us))


def _end(entry: LedgerEntry, event: str, number: int, note: str, ref: str) -> None:
    told = _told(entry, event, action=number, what=note.strip(), ref=ref.strip())
    word = {"done": "done", "withdrawn": "withdraw"}[event]
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        one = acting.end(connection, told, f"vetlla sanctions action {word}", _day(entry))
    _print(one, as_json=entry.as_json)


def _told(
    entry: LedgerEntry,
    event: str,
    *,
    action: int = 0,
    about: str = "",
    what: str = "",
    who: str = "",
    due: date | None = None,
    ref: str = "",
) -> ActionEvent:
    at, now_us = at_us(entry), CLOCK.now().utc_us
    by = entry.by.strip() or actor()
    return ActionEvent(0, action, event, about, what, who, due, at, ref, by, now_us)


def _day(entry: LedgerEntry) -> date:
    return duty_rules(None, entry.parameters_file).calendar.date_of(CLOCK.now().utc_us)


def _print(one: Action, *, as_json: bool) -> None:
    if as_json:
        print_json(action_fields(one))
        return
    due = f", due {one.planned.due}" if one.planned.due else ""
    console().print(
        f"action {one.planned.id} against {one.planned.about}: {one.state}{due} ({one.planned.who})", soft_wrap=True
    )
