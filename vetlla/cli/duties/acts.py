"""``vetlla duties open``, ``event`` and ``withdraw``: what is written down about a duty by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import (
    Base,
    Begin,
    DutyNumber,
    End,
    Entry,
    RuleOptions,
    Team,
    event_fields,
    print_duty,
    promised,
)
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.service.custody.chain import KEY
from vetlla.store.duties import events as store
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.custody import doubts
from vetlla.tasks.dispatch import doubts as street
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


@with_option_groups
def open_duty(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="As vetlla duties kinds names it.")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Code of the home, person, device or document.")],
    begin: Begin = "",
    end: End = "",
    base: Base = "",
    team: Team = "",
    *,
    entry: Entry,
) -> None:
    """Open a duty: its clock begins.

    Example: vetlla duties open fault H000123 --at 2026-11-02T09:00 --ref F-1207
    """
    rules = entry.rules()
    told = promised(entry.told(kind, subject, "", base=base, team=team), rules, begin, end)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        one = book.open_duty(connection, rules, told, entry.recording("duties open"))
        said = [
            *doubts.doubts_of(connection, rules, one.duty, "vetlla duties open"),
            *street.doubts_of(connection, rules, one.duty, CLOCK.now().utc_us),
        ]
    print_duty(one, as_json=entry.as_json)
    _tell(said)


@with_option_groups
def record_event(
    number: DutyNumber,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="As vetlla duties kinds names it.")],
    begin: Begin = "",
    end: End = "",
    base: Base = "",
    team: Team = "",
    *,
    entry: Entry,
) -> None:
    """Record an event of a duty.

    Example: vetlla duties event 4711 solved --at 2026-11-03T12:40
    """
    rules = entry.rules()
    told = promised(entry.told("", "", event, base=base, team=team), rules, begin, end)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        one = book.record(connection, rules, number, told, entry.recording("duties event"))
        said = [
            *doubts.doubts_of(connection, rules, one.duty, "vetlla duties event"),
            *street.doubts_of(connection, rules, one.duty, CLOCK.now().utc_us),
        ]
    print_duty(one, as_json=entry.as_json)
    _tell(said)


@with_option_groups
def withdraw_event(
    number: Annotated[int, typer.Argument(metavar="EVENT", min=1, max=NUMBER_MAX, help="Number of the event.")],
    note: Annotated[str, typer.Option("--reason", "--note", parser=as_note, metavar="TEXT", help="Why it was wrong.")],
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Take back an event that was recorded in error. It stays on record, and decides nothing any longer.

    Example: vetlla duties withdraw 9182 --reason "the technician was at another home"
    """
    rules = options.rules()
    recording = Recording(CLOCK.now().utc_us, "vetlla duties withdraw")
    with transaction(state_dir, CLOCK, dry_run=dry_run) as connection:
        before = set(doubts.doubts(connection, rules)) if _is_of_key(connection, number) else set()
        taken = book.withdraw(connection, rules, number, by=actor(), note=note, recording=recording)
        after = doubts.doubts(connection, rules) if taken.told.kind == KEY else ()
        said = [f"{one}: vetlla custody check" for one in after if one not in before]
    if as_json:
        print_json(event_fields(taken, withdrawn=True) | {"kind": taken.told.kind, "subject": taken.told.subject})
    else:
        told = taken.told
        console().print(f"event {number} ({told.event} of {told.kind} {told.subject}): withdrawn", soft_wrap=True)
    _tell(said)


def _is_of_key(connection: sqlite3.Connection, number: int) -> bool:
    found = store.event(connection, number)
    return found is not None and found.told.kind == KEY


def _tell(said: Iterable[str]) -> None:
    for text in said:
        talk().print(text, style="yellow", soft_wrap=True)
