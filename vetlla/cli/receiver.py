"""``vetlla receiver`` runs the daemon in the foreground."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from vetlla.cli.kit.options import ConfigFile, OtherStateDir, required_configuration
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.daemon.logs.setup import configure
from vetlla.domain.clock import SystemClock
from vetlla.receiver.serve import Receiver
from vetlla.settings.load import load
from vetlla.settings.model import Settings
from vetlla.tasks.dispatch.figures import MarksFile

log = structlog.get_logger()


def receiver(
    config: ConfigFile = None,
    state_dir: OtherStateDir = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROTOCOL=HOST:PORT",
            help="Listen here instead of at the configuration's listeners, brokers, spools; port 0 picks a free port.",
        ),
    ] = None,
    parameters_file: ParametersFile = None,
) -> None:
    """Run the receiver in the foreground until SIGTERM or Ctrl-C.

    It acknowledges a report only when the transaction that holds it is on the disk. On SIGHUP it reads configuration,
    TLS files, accounts and keys again, and refuses what the next start would refuse. --listen needs no configuration
    file; an existing one still counts for everything else.

    Example: vetlla receiver --listen dc09=127.0.0.1:9009 --state-dir /tmp/vetlla
    """
    file = config or required_configuration()
    reread = partial(load, file, state_dir=state_dir, listen=listen or ())
    settings = reread()
    left_out = load(file) if listen else None
    writer = configure(style=settings.log.format, level=settings.log.level)
    try:
        if left_out and (left_out.sip or left_out.mqtt or left_out.line or left_out.spool):
            log.warning(
                "receiver.listeners_left_out",
                sip=[door.name for door in left_out.sip],
                brokers=[broker.name for broker in left_out.mqtt],
                lines=[line.name for line in left_out.line],
                spools=[spool.name for spool in left_out.spool],
                remedy="to use them, write listeners as [[listen]] into the configuration and start without --listen",
            )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, reread, file, MarksFile(parameters_file)))
    finally:
        writer.close()


async def _run(settings: Settings, reread: partial[Settings], file: Path | None, marks: MarksFile) -> None:
    await Receiver(settings, reread, SystemClock(), file, marks=marks.at).run()
