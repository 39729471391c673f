"""``vetlla reminders channels`` shows each channel's state, and resumes one after a person has repaired its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.reminders.database import database, now, shown_time, stamp
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.messages import Channel
from vetlla.tasks.reminders.desk import channels

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.tasks.reminders.desk.channels import ChannelState

app = typer.Typer(no_args_is_help=True, help="See how the channels do, and use one again.")

COLUMNS = ("channel", "state", "until", "failures", "why", "unusable")


@app.command("list")
def list_channels(*, state_dir: StateDir = DEFAULT_STATE_DIR, _utc: Utc = False, as_json: AsJson = False) -> None:
    """List the channels: in use, not used for a while after failures, or stopped until a person resumes them.

    UNUSABLE names the templates that the provider refuses, each with its language.

    Example: vetlla reminders channels list
    """
    with database(state_dir) as db:
        found = channels.states(db)
    at = now()
    print_rows((_row(one, at, as_json=as_json) for one in found), COLUMNS, as_json=as_json)


def _row(one: ChannelState, at: datetime, *, as_json: bool) -> dict[str, Any]:
    circuit = one.circuit
    state = "stopped" if circuit.is_stopped else "in use" if circuit.is_closed(at) else "not used"
    until = circuit.open_until if state == "not used" else None
    return {
        "channel": one.channel.value,
        "state": state,
        "until": stamp(until) if as_json else shown_time(until),
        "failures": circuit.failures,
        "why": circuit.why,
        "unusable": list(one.unusable) if as_json else ", ".join(one.unusable),
    }


@app.command("resume")
def resume_channel(
    channel: Annotated[Channel, typer.Argument(help="Channel to use again.")],
    *,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Use a channel again, after its account, token or template was mended; what waited for it goes out.

    Example: vetlla reminders channels resume whatsapp
    """
    with database(state_dir) as db:
        was_stopped = channels.resume(db, channel, actor(), now())
    if as_json:
        print_json({"channel": channel.value, "resumed": was_stopped})
    else:
        console().print(f"{channel.value} {'is in use again' if was_stopped else 'was in use'}")
