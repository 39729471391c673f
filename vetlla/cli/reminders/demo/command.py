"""``vetlla reminders demo``: the whole reminder service at work, with a citizen's telephone to answer on."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop

from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.output import console
from vetlla.daemon.logs.setup import configure
from vetlla.domain.permissions import no_link
from vetlla.settings.log import LogFormat

LOG: Final = "reminders.log"


def demo(
    state_dir: Annotated[
        Path | None,
        typer.Option(
            readable=False, help="Keep database, settings and log here; default: a directory that is removed."
        ),
    ] = None,
    lasts: Annotated[float, duration("--for", help="End after this time, instead of at /quit or Ctrl-C.")] = 0.0,
) -> None:
    """Show the reminder service at work, with two citizens' telephones in the terminal to answer on.

    The service, its database and its webhooks are real. Queue system, WhatsApp, SMS gateway and citizens are simulated
    on this machine, and its clock begins at five past ten of a working day. Confirm or cancel in your own words or by
    the number of a button; /clock +23h moves the clock ahead, and /help lists what a telephone can do.

    Example: vetlla reminders demo
    """
    # The other commands of the group do not wait for the servers of HTTP.
    from vetlla.cli.reminders.demo.live import ending, live  # noqa: PLC0415 - see above

    with tempfile.TemporaryDirectory(prefix="vetlla-reminders-") as made:
        directory = state_dir or Path(made)
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        with os.fdopen(no_link(directory / LOG, os.O_APPEND), "ab") as log:
            writer = configure(style=LogFormat.JSON, fd=log.fileno())
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    world = runner.run(live(directory.absolute(), lasts))
            finally:
                writer.close()
    for line in ending(world):
        console().print(line, soft_wrap=True)
