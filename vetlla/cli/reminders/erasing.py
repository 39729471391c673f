"""``vetlla reminders erase`` removes a person who asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.confirming import confirm
from vetlla.cli.kit.options import AsJson, DryRun, KeysFile
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders.database import Phones, database, now, phone_shown, pseudonyms_of
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.reminders.optout import as_phone
from vetlla.tasks.reminders.desk import erasing

if TYPE_CHECKING:
    from vetlla.tasks.reminders.desk.erasing import PersonErased


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
    keys_file: KeysFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove a person from all that is stored, and report what was removed. Messages not sent yet are not sent.

    Rows that statistics need stay without the person. Rows with a pseudonym of the person lose it if the keys file has
    the key of their year. An opt-out stays with its telephone unless it is removed too. What the queue system has of
    the person must be erased there, and what backups and hand-overs have must be erased in each of them.

    Example: vetlla reminders erase --phone +34600000001 --dry-run
    """
    keep = not opt_out_too
    with database(state_dir) as db:
        pseudonyms = pseudonyms_of(keys_file, state_dir)
        found = erasing.erase(db, phone, actor(), now(), pseudonyms, keep_opt_out=keep, dry_run=True)
        if found and not dry_run:
            confirm("Remove this person?", _lines(found), yes=yes)
            found = erasing.erase(db, phone, actor(), now(), pseudonyms, keep_opt_out=keep)
    shown = phone_shown(phone, whole=phones)
    if as_json:
        told = {"phone": shown, "found": bool(found), "dry_run": dry_run, **found._asdict(), "years": pseudonyms.years}
        print_json(told)
        return
    out = console()
    if found:
        out.print(f"{shown}: {'would be removed from' if dry_run else 'removed from'}")
        for line in _lines(found):
            out.print(line)
    else:
        out.print(f"nothing is kept of {shown}")
    if found.left:
        out.print("the opt-out stays, with its telephone: --opt-out-too removes it", soft_wrap=True)
    years = ", ".join(map(str, pseudonyms.years)) or "none"
    out.print(f"years whose pseudonyms could be looked for, because their key is there: {years}", soft_wrap=True)


def _lines(found: PersonErased) -> list[str]:
    named = [f"  {count:>6} {table.replace('_', ' ')}" for table, count in found.removed.items()]
    return named + [f"  {count:>6} {table}, under a pseudonym" for table, count in found.pseudonyms.items()]
