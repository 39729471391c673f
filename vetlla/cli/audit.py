"""``vetlla audit`` lists who did what, and proves that nothing was changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import shown
from vetlla.cli.kit.newest import NewestOf
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.progress import progress
from vetlla.domain.clock import iso
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import Flaw, Head, head_of, holds
from vetlla.store.journal.audit import verify as verify_chain

if TYPE_CHECKING:
    from vetlla.store.journal.stored import Record

app = typer.Typer(help="Look at the audit and prove that it is whole.", no_args_is_help=True)

COLUMNS = ("id", "at", "actor", "action", "subject", "detail")
FLAWED = 1
"""Exit status if a record, a signal or a stamp was changed or cut."""


@app.command("list")
@with_option_groups
def list_records(
    *,
    actor: Annotated[
        list[str] | None, typer.Option("--actor", metavar="NAME", help="Only what this person did.")
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="ACTION", help="Only this action, such as answer, close, test, refuse."),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            "--subject", metavar="SUBJECT", help='Only about this subject, such as "alarm 7", "account 1234".'
        ),
    ] = None,
    commits: Annotated[
        bool, typer.Option("--commits", help="Include the receiver's records of stored signals.")
    ] = False,
    listing: NewestOf,
) -> None:
    """List who did what, with the newest record last.

    Example: vetlla audit list --subject "alarm 7"
    """
    since_us, until_us = listing.within()
    question = history.records(
        actors=actor or [],
        actions=action or [],
        subjects=subject or [],
        commits=commits,
        since_us=since_us,
        until_us=until_us,
    )
    listing.tell(question, COLUMNS, fields=_fields, row=_row)


@app.command()
def verify(
    *,
    expect: Annotated[
        str, typer.Option(metavar="ID:HASH", help="A head that was printed earlier; the chain must still contain it.")
    ] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check every record, every signal and the stamps of every alarm; print the head of the chain.

    Exit status: 0 nothing was changed or cut, 1 something was. Keep the head elsewhere: without it you cannot see that
    the end of the chain was cut off together with all traces of it.

    Example: vetlla audit verify --expect "$(tail -1 /mnt/elsewhere/audit-heads)"
    """
    expected = Head.parse(expect) if expect else None
    with Archive(state_dir) as archive:
        head = head_of(archive.read)
        with progress("checking") as tell:
            flaws = list(verify_chain(archive.read, tell))
        if expected and not holds(archive.read, expected):
            flaws.append(Flaw(expected.id, "the chain does not contain the expected head"))
    with verdict(FLAWED if flaws else 0):
        if as_json:
            rows = [{"record": flaw.audit_id, "what": flaw.what} for flaw in flaws]
            print_json({"whole": not flaws, "head": str(head), "flaws": rows})
        else:
            for flaw in flaws:
                console().print(f"record {flaw.audit_id}: {flaw.what}", soft_wrap=True)
            console().print(str(head), soft_wrap=True)


def _fields(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "at": iso(record.at_us),
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "detail": record.detail,
        "hash": record.hash.hex(),
    }


def _row(record: Record) -> dict[str, Any]:
    detail = json.dumps(record.detail, ensure_ascii=False) if record.detail else ""
    return _fields(record) | {"at": shown(record.at_us), "detail": detail}
