"""``vetlla reminders erase`` removes a person who asks for it."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.confirming import confirm
from vetlla.cli.kit.options import AsJson, DryRun
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders.database import Phones, database, now, phone_shown
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.reminders.optout import as_phone
from vetlla.tasks.reminders.desk import erasing


def erase_person(
    *,
    phone: Annotated[
        str, typer.Option("--phone", parser=as_phone, metavar="PHONE", help="Telephone, such as +34600000001.")
    ],
    opt_out_too: Annotated[
        bool,
        typer.Option("--opt-out-too", help="Forget also that the person opted out; reminders may come again."),
    ] = False,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    phones: Phones = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Remove a person from all that is stored, and report what was removed. Messages not sent yet are not sent.

    Rows that statistics need stay without the person. An opt-out stays with its telephone unless it is removed too.
    What the queue system has of the person must be erased there, and what backups and hand-overs have must be erased in
    each of them.

    Example: vetlla reminders erase --phone +34600000001 --dry-run
    """
    keep = not opt_out_too
    with database(state_dir) as db:
        found = erasing.erase(db, phone, actor(), now(), keep_opt_out=keep, dry_run=True)
        if found is not None and not dry_run:
            confirm("Remove this person?", _lines(found.removed), yes=yes)
            found = erasing.erase(db, phone, actor(), now(), keep_opt_out=keep)
    removed, left = (found.removed, found.left) if found else ({}, {})
    shown = phone_shown(phone, whole=phones)
    if as_json:
        print_json({"phone": shown, "found": found is not None, "dry_run": dry_run, "removed": removed, "left": left})
        return
    out = console()
    if found is None:
        out.print(f"nothing is kept of {shown}")
        return
    out.print(f"{shown}: {'would be removed from' if dry_run else 'removed from'}")
    for line in _lines(removed):
        out.print(line)
    if left:
        out.print("the opt-out stays, with its telephone: --opt-out-too removes it", soft_wrap=True)


def _lines(rows: dict[str, int]) -> list[str]:
    return [f"  {count:>6} {table.replace('_', ' ')}" for table, count in rows.items()]
