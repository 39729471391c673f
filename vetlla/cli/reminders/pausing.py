"""``vetlla reminders pause``, ``resume`` and ``pauses``: an office sends nothing for some time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, duration, moment
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import as_note
from vetlla.cli.reminders.database import CLOCK, Office, database, now, shown_time, stamp
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import UsageError
from vetlla.store.reminders import offices
from vetlla.tasks.reminders.desk import pausing

if TYPE_CHECKING:
    from vetlla.store.reminders.offices import Pause


def pause_office(
    office: Office,
    *,
    why: Annotated[
        str, typer.Option("--why", "--reason", parser=as_note, metavar="TEXT", help="Why, for those who wonder.")
    ],
    until: Annotated[
        str,
        typer.Option("--until", metavar="TIME", help="ISO 8601, local if it has no zone; a day is its beginning."),
    ] = "",
    seconds: Annotated[
        float | None, duration("--for", help="How long, such as 2h. Default: until it is resumed.", least_s=1)
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Let an office send no reminders until a time: they wait, and those of no use by then are not sent.

    Cancellations by citizens are carried out all the same, and citizens who write are answered.

    Example: vetlla reminders pause 46 --for 2h --why "closed today"
    """
    at = now()
    if until and seconds is not None:
        raise UsageError("--until and --for are two ends", remedy="give one of them")
    end = at + timedelta(seconds=seconds) if seconds is not None else None
    if until:
        end = to_datetime(moment(until, CLOCK.now().utc_us))
    with database(state_dir) as db:
        made = pausing.pause(db, office, at, end, why=why, by=actor())
    if as_json:
        print_json(_row(made, as_json=True))
    else:
        told = f"until {shown_time(made.until)}" if made.until else f"until: vetlla reminders resume {office}"
        console().print(f"office {office} is paused {told}", soft_wrap=True)


def resume_office(office: Office, *, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """End the pauses of an office; its reminders that are still of use go out.

    Example: vetlla reminders resume 46
    """
    with database(state_dir) as db:
        count = pausing.resume(db, office, actor(), now())
    if as_json:
        print_json({"office": office, "ended": count})
    else:
        console().print(f"office {office} {'is no longer' if count else 'was not'} paused")


def list_pauses(*, state_dir: StateDir = DEFAULT_STATE_DIR, _utc: Utc = False, as_json: AsJson = False) -> None:
    """List the pauses that have not ended: office, end, reason, and who made them.

    Example: vetlla reminders pauses
    """
    with database(state_dir) as db:
        found = offices.pauses(db, now())
    print_rows((_row(one, as_json=as_json) for one in found), ("office", "from", "until", "by", "why"), as_json=as_json)


def _row(one: Pause, *, as_json: bool) -> dict[str, Any]:
    when = stamp if as_json else shown_time
    return {"office": one.office, "from": when(one.first), "until": when(one.until), "by": one.by, "why": one.why}
