"""``vetlla rejects`` lists bytes that were not a report, each with a reason on which an installer can act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.items import stored_reject_fields
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.newest import NewestOf
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.domain.signals import Reason
from vetlla.store.journal import history

if TYPE_CHECKING:
    from vetlla.store.journal.stored import StoredReject

app = typer.Typer(help="List what was received and could not be taken.", no_args_is_help=True)

COLUMNS = ("id", "received", "peer", "account", "reason", "text", "raw")
RAW_SHOWN = 48
"""Bytes of a frame that fit a table; --json has all of them."""


@app.command("list")
@with_option_groups
def list_rejects(
    *,
    reason: Annotated[
        list[Reason] | None, typer.Option("--reason", help="Only with this reason; repeatable.", show_choices=False)
    ] = None,
    peer: Annotated[str, typer.Option(metavar="ADDRESS[:PORT]", help="Only from this address.")] = "",
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ACCOUNT", help="Only those that name this account; repeatable."),
    ] = None,
    listing: NewestOf,
) -> None:
    """List rejects, with the newest last.

    Example: vetlla rejects list --reason undecryptable --since 1d
    """
    since_us, until_us = listing.within()
    question = history.rejects(
        reasons=reason or [], peer=peer, accounts=account or [], since_us=since_us, until_us=until_us
    )
    listing.tell(question, COLUMNS, fields=stored_reject_fields, row=_row)


def _row(stored: StoredReject) -> dict[str, Any]:
    reject = stored.reject
    raw = reject.raw[:RAW_SHOWN].decode("latin-1").encode("unicode_escape").decode("ascii")
    return {
        "id": stored.id,
        "received": to_the_second(stored.at_us),
        "peer": f"{stored.transport} {stored.peer}",
        "account": reject.id.account if reject.id else "",
        "reason": reject.reason.value,
        "text": reject.text,
        "raw": raw + (" ..." if len(reject.raw) > RAW_SHOWN else ""),
    }
