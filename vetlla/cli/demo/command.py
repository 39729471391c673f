"""``vetlla demo`` runs a small service on this machine, for people who want to see what Vetlla does."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from vetlla.cli.accounts import files as account_file
from vetlla.cli.board.command import show
from vetlla.cli.demo.desk import Room
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.output import console
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import LinkError
from vetlla.domain.permissions import no_link
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.simulator.drive import drive
from vetlla.simulator.scenario import Scenario
from vetlla.simulator.weights import Faults, Mix
from vetlla.store.accounts.table import account_book, register
from vetlla.store.registry.registry import writing
from vetlla.store.secrets.changes import set_key
from vetlla.store.secrets.keyring import Keyring

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator

    from vetlla.domain.accounts import Account
    from vetlla.simulator.statistics import Report

ACCOUNTS = resources.files("vetlla.simulator") / "service" / "accounts.csv"
RATE = 4.0
"""Reports per second of the forty homes: as many as some ten thousand homes send on a quiet afternoon."""
MIX = Mix(alarms=2.5, technical=1.5, tests=14, heartbeats=82)
"""There is a call for help every ten seconds: four operators are busy, and now and then a caller has to wait."""
MISHAPS = Faults(torn=0.05, batch=0.02, damage=0.02, retry=0.02, duplicate=0.03, clock=0.1)
"""Faults that every receiver meets in a day; they cause the duplicates and rejects on the board."""
OPERATORS = 4
READY_S = 30.0
POLL_S = 0.1
DRAIN_S = 30.0
"""The receiver drains within its own, shorter deadline; this one is for a receiver that hangs."""
LOG = "receiver.log"
LOG_LINES = 5
BY = "vetlla demo"


def demo(
    state_dir: Annotated[
        Path | None,
        typer.Option(
            readable=False, help="Keep journal and registry here; default: a directory that is removed after the demo."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        duration("--for", "--seconds", help="Stop after this time, such as 5m; by default at Ctrl-C.", least_s=0.1),
    ] = None,
) -> None:
    """Show a small service at work: the receiver, forty homes that dial in, four operators, and the live board.

    Everything is real except the people: another process receives reports over sockets of this machine and keeps them
    on the disk. Ctrl-C ends the demo, which leaves nothing behind.

    Example: vetlla demo --for 1m
    """
    with _directory(state_dir) as directory, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report, handled = runner.run(_live(directory, seconds))
    out = console()
    out.print(f"{report.acknowledged} of {report.told} reports acknowledged, {handled} alarms handled.")
    if report.p50_us is not None:
        out.print(f"Half of them were on the disk and acknowledged within {report.p50_us / 1000:.1f} ms.")


@contextmanager
def _directory(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="vetlla-demo-") as made:
        yield Path(made)


async def _live(directory: Path, seconds: float | None) -> tuple[Report, int]:
    """Start everything, show it until ``stop`` is set, end everything in order; return report and closed alarms."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    accounts = await asyncio.to_thread(_prepare, directory)
    async with _receiver(directory) as (child, port):
        room = Room(directory, Random())  # noqa: S311 - a simulation, not a secret
        keyring = Keyring.read(directory / "keys.toml")
        scenario = Scenario(
            host="127.0.0.1",
            port=port,
            accounts=accounts,
            keys={name: keyring.lookup(name)[0] for name in keyring},
            rate=RATE,
            mix=MIX,
            faults=MISHAPS,
            seed=secrets.randbelow(1_000_000),
        )
        async with asyncio.TaskGroup() as group:
            homes = group.create_task(drive(scenario, stop=stop))
            for _ in range(OPERATORS):
                group.create_task(room.work(stop))
            group.create_task(show(directory, stop))
            watcher = group.create_task(_watch(child, stop))
            await homes
            watcher.cancel()
        if child.returncode is not None:
            raise _ended(child, directory)
        return homes.result(), room.closed


def _prepare(directory: Path) -> tuple[Account, ...]:
    """Register the homes and return their accounts. Make each key that a terminal needs and the directory lacks."""
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    clock = SystemClock()
    with resources.as_file(ACCOUNTS) as file:
        homes = account_file.entries(file)
    with writing(directory, clock) as registry:
        register(registry, homes, by=BY, at_us=clock.now().utc_us)
        accounts = tuple(account_book(registry))
    path = directory / "keys.toml"
    held = Keyring.read(path) if path.exists() else Keyring({})
    for name in sorted({account.key_name for account in accounts} - {"", *held}):
        set_key(path, name, secrets.token_bytes(16), by=BY, now=datetime.now(UTC))
    return accounts


@asynccontextmanager
async def _receiver(directory: Path) -> AsyncIterator[tuple[Process, int]]:
    """Run the receiver as a process of its own. Yield it with its port when it is ready, and drain it at the end."""
    log = directory / LOG
    with os.fdopen(no_link(log, os.O_APPEND), "ab") as out:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vetlla", "receiver"),
            # Leave out this machine's configuration, because it belongs to another receiver.
            *("--config", os.devnull, "--listen", "dc09=127.0.0.1:0", "--state-dir", str(directory)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            # Ctrl-C in the terminal must reach this process alone, because the receiver has to end last.
            start_new_session=True,
        )
    try:
        yield child, await _ready(child, directory)
    finally:
        if child.returncode is None:
            child.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_S):
                    await child.wait()
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _ready(child: Process, directory: Path) -> int:
    """Wait until the receiver takes reports; return the port on which it does."""
    try:
        async with asyncio.timeout(READY_S):
            while child.returncode is None:
                with suppress(LinkError):
                    status = await asyncio.to_thread(ask, directory, ShowStatus())
                    if status["ready"]:
                        return status["listening"][0]["port"]
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise LinkError(f"the receiver was not ready within {READY_S:.0f} s", remedy=_tail(directory)) from None
    raise _ended(child, directory)


async def _watch(child: Process, stop: asyncio.Event) -> None:
    """Set ``stop`` if the receiver ends by itself."""
    await child.wait()
    stop.set()


def _ended(child: Process, directory: Path) -> LinkError:
    return LinkError(f"the receiver ended by itself, with status {child.returncode}", remedy=_tail(directory))


def _tail(directory: Path) -> str:
    lines = (directory / LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(["the end of its log:", *lines])
