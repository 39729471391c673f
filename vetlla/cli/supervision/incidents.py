"""``vetlla supervision incidents`` lists incidents, and the devices that were lost in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import Since, Utc, shown_iso, within
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_rows
from vetlla.cli.kit.tables import TABLE_ROWS, print_some
from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.receiver.control.messages.supervision import ListIncidents
from vetlla.store.journal.archive import Archive
from vetlla.store.supervision import history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.store.supervision.history import PastIncident

LIMIT = 50
OPEN_COLUMNS = ("incident", "label", "opened", "lost", "members", "alarm")
COLUMNS = ("incident", "label", "opened", "closed", "members", "alarm")
MEMBER_COLUMNS = ("account", "receiver", "line", "device", "lost", "back")


def incidents(
    number: Annotated[
        int | None, typer.Argument(metavar="[INCIDENT]", help="Number of an incident whose members are listed.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List ended ones too, from the journal.")] = False,
    since: Since = "",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"How many incidents to list with --all or --since (default: the newest {LIMIT}), or how many members "
            f"of an incident (default: {TABLE_ROWS}, with --json all).",
        ),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the open incidents (losses of many at once), the largest first; or the members of one, ended or not.

    The running receiver lists the open ones. With --all, --since or a number the command reads the journal, and no
    receiver needs to run. --since lists those that were open at that time, or began later.

    Example: vetlla supervision incidents --since 7d
    """
    if number is not None:
        _tell_members(state_dir, number, limit, as_json=as_json)
    elif everything or since:
        since_us, _ = within(since, "")
        with Archive(state_dir) as archive:
            found = history.incidents(archive, limit or LIMIT, since_us)
        print_rows((_row(_fields(one), as_json=as_json) for one in found), COLUMNS, as_json=as_json)
    else:
        standing = ask(state_dir, ListIncidents())
        print_rows((_row({**one}, as_json=as_json) for one in standing), OPEN_COLUMNS, as_json=as_json)


def _tell_members(state_dir: Path, number: int, limit: int | None, *, as_json: bool) -> None:
    with Archive(state_dir) as archive:
        if history.incident(archive, number) is None:
            raise UsageError(f"there is no incident {number}", remedy="vetlla supervision incidents --all")
        rows = (_row(member, as_json=as_json) for member in _members(archive, number))
        print_some(rows, MEMBER_COLUMNS, limit, as_json=as_json, title=f"incident {number}")


def _members(archive: Archive, number: int) -> Iterator[dict[str, Any]]:
    for one in history.members(archive, number):
        stamps = {"lost": iso(one.lost_us), "back": iso(one.back_us)}
        yield {"incident": number, "unit": one.unit, **one.name._asdict(), **stamps}


def _fields(one: PastIncident) -> dict[str, Any]:
    return {
        "incident": one.id,
        "label": one.label,
        "opened": iso(one.opened_us),
        "closed": iso(one.closed_us),
        "members": one.members,
        "alarm": one.alarm,
    }


def _row(fields: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    if as_json:
        return fields
    stamps = ("opened", "closed", "back") if "opened" in fields else ("lost", "back")
    return fields | {name: shown_iso(fields[name]) for name in stamps if name in fields}
