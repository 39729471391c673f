"""``vetlla reminders texts approve`` and ``approvals``: record which person approved which texts for which office."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.reminders.database import database, now, stamp
from vetlla.cli.reminders.options import OfficesFile, OtherStateDir, TextsFolder, known_settings
from vetlla.domain.errors import UsageError
from vetlla.service.reminders.texts.approval import DIGITAL_SERVICES, consent_of
from vetlla.store.reminders.approvals import approvals
from vetlla.store.reminders.opening import REMINDERS, reading_present
from vetlla.store.sqlite.faults import disk_errors
from vetlla.tasks.reminders.desk import approving
from vetlla.tasks.reminders.texts import load_offices, load_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vetlla.domain.approvals import Approval
    from vetlla.service.reminders.texts.text import Text

COLUMNS = ("text", "version", "standing", "missing")
LONGEST_NAME = 200
"""Most characters of a person's name."""


def kept_approvals(state_dir: Path) -> list[Approval] | None:
    """Return the approvals in the database; None if there is no database. Raises AccessError, StoreError."""
    with disk_errors(state_dir):
        if not (state_dir / REMINDERS).exists():
            return None
    with reading_present(state_dir) as db:
        return approvals(db)


def approve_texts(
    titles: Annotated[
        list[str] | None, typer.Argument(metavar="[TITLE]...", help="Names of texts, as the preview shows them.")
    ] = None,
    *,
    party: Annotated[
        str, typer.Option("--party", metavar="OFFICE", help=f'Id of the office, or "{DIGITAL_SERVICES}".')
    ],
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="Who agreed, for the party.")],
    every: Annotated[bool, typer.Option("--all", help="Approve all texts that this party must approve.")] = False,
    texts: TextsFolder = None,
    offices: OfficesFile = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """Record that an office, or the digital services, agrees to texts as they are now.

    A text that is changed afterwards must be approved again. What this party approved already is not recorded twice.

    Example: vetlla reminders texts approve "ca sms reminder" --party OMAC --person "Maria Exemple"
    """
    settings = known_settings(state_dir)
    known = tuple(load_offices(offices or settings.offices_file).offices)
    if party not in {DIGITAL_SERVICES, *known}:
        raise UsageError(
            f"there is no party {party!r}", remedy=f"the parties are {', '.join((DIGITAL_SERVICES, *known))}"
        )
    chosen = _chosen(load_texts(texts or settings.texts).texts, titles or [], every=every)
    with database(settings.state_dir, make=True) as db:
        made = approving.approve_texts(db, chosen, party, _name(person), offices=known, by=actor(), now=now())
    if as_json:
        for one in made:
            print_json(_approval(one))
        return
    out = console()
    for one in made:
        out.print(f"{one.title}  version {one.version}", soft_wrap=True)
    out.print(f"{len(made)} texts approved for {party}", soft_wrap=True)


def _chosen(every_text: Sequence[Text], titles: Sequence[str], *, every: bool) -> Sequence[Text]:
    if every == bool(titles):
        raise UsageError("name texts, or give --all", remedy="vetlla reminders texts approvals lists their names")
    if every:
        return [text for text in every_text if not text.off]
    by_title = {text.title: text for text in every_text}
    for title in titles:
        if title not in by_title:
            raise UsageError(
                f"there is no text {title!r}", remedy="vetlla reminders texts approvals lists the names of all texts"
            )
    return [by_title[title] for title in dict.fromkeys(titles)]


def _name(person: str) -> str:
    name = " ".join(person.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError("--person is no name", remedy='write the name of the person who agreed: "Maria Exemple"')
    return name


def _approval(one: Approval) -> dict[str, Any]:
    return {
        "title": one.title,
        "version": one.version,
        "digest": one.digest,
        "party": one.party,
        "person": one.person,
        "at": stamp(one.at),
    }


def list_approvals(
    *,
    texts: TextsFolder = None,
    offices: OfficesFile = None,
    state_dir: OtherStateDir = None,
    as_json: AsJson = False,
) -> None:
    """List the texts that are sent, each with its standing and the parties that did not approve it.

    STANDING is approved, changed (a party approved other words under this name) or not_approved. With --json each text
    also has the approvals of its words, with person and time.

    Example: vetlla reminders texts approvals
    """
    settings = known_settings(state_dir)
    known = tuple(load_offices(offices or settings.offices_file).offices)
    kept = kept_approvals(settings.state_dir) or []
    shown = [text for text in load_texts(texts or settings.texts).texts if not text.off]
    print_rows((_row(text, kept, known, as_json=as_json) for text in shown), COLUMNS, as_json=as_json)


def _row(text: Text, kept: Sequence[Approval], offices: Sequence[str], *, as_json: bool) -> dict[str, Any]:
    found = consent_of(text, kept, offices)
    row: dict[str, Any] = {"text": text.title, "version": text.version, "standing": found.standing.value}
    if not as_json:
        return row | {"missing": ", ".join(found.missing)}
    own = [one for one in kept if (one.title, one.digest) == (text.title, text.digest)]
    return row | {
        "missing": list(found.missing),
        "digest": text.digest,
        "approvals": [_approval(one) for one in own],
    }
