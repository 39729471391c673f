"""``vetlla receiver``: the daemon, in the foreground; and ``vetlla status``: how it is."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from vetlla.cli import control
from vetlla.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.output import console, print_json
from vetlla.clock import SystemClock
from vetlla.errors import ConfigError, LinkError
from vetlla.receiver import log
from vetlla.receiver.serve import Receiver
from vetlla.settings.load import load
from vetlla.settings.model import Settings

POLL_S = 0.1
"""How often ``status --wait`` looks: nobody can tell it beforehand when a daemon that does not run yet will."""

ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", envvar="VETLLA_CONFIG", help="Configuration file (TOML).")
]


def receiver(
    config: ConfigFile = None,
    state_dir: Annotated[
        Path | None, typer.Option(envvar="VETLLA_STATE_DIR", help="Instead of the configuration's state_dir.")
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(metavar="PROTOCOL=HOST:PORT", help="Instead of the configuration's listeners; port 0 picks one."),
    ] = None,
) -> None:
    """Run the receiver in the foreground until SIGTERM or Ctrl-C.

    It answers a report only when the transaction that holds it is on the disk. SIGHUP reads configuration, accounts
    and keys anew.

    Example: vetlla receiver --listen dc09=127.0.0.1:9009 --state-dir /tmp/vetlla
    """
    reread = partial(load, config, state_dir=state_dir, listen=listen or ())
    settings = reread()
    if not settings.listen:
        raise ConfigError(
            "nothing to listen on", remedy="give --listen dc09=HOST:PORT, or a --config FILE with a [[listen]] table"
        )
    writer = log.configure(style=settings.log.format, level=settings.log.level)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, reread))
    finally:
        writer.close()


async def _run(settings: Settings, reread: partial[Settings]) -> None:
    await Receiver(settings, reread, SystemClock()).run()


def status(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Wait up to this long until it is ready.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Say whether the receiver is ready, where it listens, and what it has counted.

    Exit status: 0 ready, 69 no receiver or not ready.

    Example: vetlla status --wait 10 --json
    """
    answer = _await_ready(state_dir, wait)
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if not answer["ready"]:
        raise LinkError(f"not ready: {answer['why']}", remedy="existing alarms can still be worked; see the log")


def _await_ready(state_dir: Path, wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    while True:
        try:
            answer: dict[str, Any] = control.ask(state_dir, "status")
        except LinkError:
            if time.monotonic() >= deadline:
                raise
        else:
            if answer["ready"] or time.monotonic() >= deadline:
                return answer
        time.sleep(POLL_S)


def _print(answer: dict[str, Any]) -> None:
    out = console()
    state = "[green]ready[/green]" if answer["ready"] else f"[red]NOT READY[/red]: {answer['why']}"
    out.print(f"vetlla {answer['version']}: {state}, since {answer['since']}")
    for place in answer["listening"]:
        out.print(
            f"  {place['name']}: {place['protocol']} over {place['transport']} on {place['host']}:{place['port']}"
        )
    if http := answer["http"]:
        out.print(f"  http://{http['host']}:{http['port']}/metrics")
    counts, store = answer["counts"], answer["store"]
    out.print(
        f"  {counts['signals']} signals, {counts['duplicates']} duplicates, {counts['refused']} refused, "
        f"{counts['rejects']} rejects, {counts['heartbeats']} heartbeats, {counts['connections']} connections"
    )
    alarms = ", ".join(f"{count} {name}" for name, count in counts["alarms_open"].items()) or "none"
    out.print(f"  alarms open: {alarms}; {counts['waiting']} waiting")
    out.print(
        f"  store {store['state']}, {store['free_bytes'] >> 20} MiB free, last commit {store['commit_ms_last']} ms"
    )
