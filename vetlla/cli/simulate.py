"""``vetlla simulate``: homes that dial in, for drills and measurements."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vetlla.cli.control import ask
from vetlla.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.output import console, print_json, talk
from vetlla.cli.simulate_callers import HOMES, callers, write_files
from vetlla.errors import LinkError, UsageError
from vetlla.simulator.drive import drive
from vetlla.simulator.ledger import Ledger
from vetlla.simulator.scenario import ACK_TIMEOUT_S, ATTEMPTS, Connection, Faults, Mix, Scenario, Transport
from vetlla.simulator.statistics import Counts, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.simulator.subscriber import Settled

RATE = 10
DURATION_S = 10.0
REFRESH_S = 0.2
"""Between two looks at a running simulation: smooth to the eye, nothing to the load."""
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
"""Where a receiver that listens everywhere is dialled from its own machine."""
SEEDS = 1_000_000
"""Drawn seeds stay short enough to be typed again."""
LOST = 1
"""Exit status when a report was not acknowledged."""


PROGRESS = (
    SpinnerColumn(),
    TextColumn("{task.completed:,.0f} acknowledged"),
    BarColumn(bar_width=30),
    TimeElapsedColumn(),
    TextColumn("{task.fields[trouble]}", style="yellow"),
)


def simulate(
    *,
    to: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Receiver to dial; default: the one of the state directory.")
    ] = "",
    homes: Annotated[int | None, typer.Option(min=1, help=f"How many; default {HOMES}, or all of --accounts.")] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="Be the homes of this file (columns of `accounts import`).")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0.001, help=f"Reports per second over all homes, answered or not; default {RATE}."),
    ] = None,
    closed: Annotated[bool, typer.Option("--closed", help="As fast as answers come back, instead of --rate.")] = False,
    duration: Annotated[float | None, typer.Option(min=0.1, help=f"Seconds; default {DURATION_S:.0f}.")] = None,
    reports: Annotated[int | None, typer.Option(min=1, help="Stop after so many, instead of --duration.")] = None,
    transport: Annotated[Transport, typer.Option(help="How homes dial.")] = Transport.TCP,
    connection: Annotated[Connection, typer.Option(help="Stay connected, or dial anew for each report.")] = (
        Connection.KEEP
    ),
    encrypt: Annotated[
        str, typer.Option(help="none, 128, 192 or 256 bits with made-up keys; default: as --accounts and --keys-from.")
    ] = "",
    keys_from: Annotated[Path | None, typer.Option(help="Keys file that holds the keys --accounts names.")] = None,
    files_to: Annotated[
        Path | None,
        typer.Option("--export", help="Write accounts.csv and keys.toml of these homes for a receiver, and stop."),
    ] = None,
    mix: Annotated[str, typer.Option(help="Weights: alarms, technical, tests, heartbeats.")] = (
        "alarms=5,technical=5,tests=30,heartbeats=60"
    ),
    faults: Annotated[
        str, typer.Option(help="Shares: torn, batch, damage, retry, duplicate, clock; storm=MESSAGES.")
    ] = "",
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds a home waits for an answer.")] = ACK_TIMEOUT_S,
    attempts: Annotated[int, typer.Option(min=1, help="Times a home sends a report before it gives up.")] = ATTEMPTS,
    trust: Annotated[Path | None, typer.Option(help="Certificate the receiver must show (tls); default: any.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write every report and its fate here, as NDJSON.")] = None,
    seed: Annotated[int | None, typer.Option(help="Say and suffer the same things again.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Let homes dial in over real sockets and measure what comes back.

    Ends with status 0 if every report was acknowledged, 1 if any was lost or refused. Ctrl-C ends the calls and prints
    what came of them so far.

    Example: vetlla simulate --homes 500 --rate 200 --faults torn,retry,damage=0.02 --ledger sent.ndjson
    """
    if closed and rate is not None:
        raise UsageError("--closed and --rate exclude each other", remedy="--closed calls as fast as answers come back")
    if seed is None:
        seed = random.randrange(SEEDS)  # noqa: S311 - a simulation, not a secret
    calling, keys = callers(accounts, homes, encrypt, keys_from, seed)
    if files_to is not None:
        write_files(files_to, calling, keys)
        return
    host, port = _address(to, state_dir)
    scenario = Scenario(
        host=host,
        port=port,
        accounts=calling,
        keys=keys,
        rate=None if closed else rate or RATE,
        reports=reports,
        duration_s=duration if duration or reports else DURATION_S,
        transport=transport,
        connection=connection,
        mix=Mix.parse(mix),
        faults=Faults.parse(faults),
        timeout_s=timeout,
        attempts=attempts,
        seed=seed,
        trusted=str(trust) if trust else None,
    )
    report = _run(scenario, ledger)
    if as_json:
        print_json({"to": f"{host}:{port}", "seed": seed, **asdict(report), "complete": report.complete})
    else:
        console().print(_table(report, scenario))
    raise typer.Exit(0 if report.complete else LOST)


def _address(to: str, state_dir: Path) -> tuple[str, int]:
    """Return where to dial: as said, or where the daemon of the state directory listens for DC-09."""
    if to:
        host, colon, port = to.rpartition(":")
        if not (host and colon and port.isdecimal()):
            raise UsageError(f"--to {to}: not HOST:PORT", remedy="such as 127.0.0.1:9009 or [::1]:9009")
        return host.removeprefix("[").removesuffix("]"), int(port)
    for listener in ask(state_dir, "status")["listening"]:
        if listener["protocol"] == "dc09":
            return ANYWHERE.get(listener["host"], listener["host"]), listener["port"]
    raise LinkError("the receiver does not listen for DC-09", remedy="name another one with --to HOST:PORT")


def _run(scenario: Scenario, ledger: Path | None) -> Report:
    counts = Counts()
    with _opened(ledger) as settled, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_simulate(scenario, counts, settled))
        except asyncio.CancelledError:
            talk().print(f"cut short: {counts.acknowledged:,} of {counts.told:,} reports were acknowledged")
            raise typer.Exit(LOST) from None


@contextmanager
def _opened(ledger: Path | None) -> Iterator[Settled | None]:
    if ledger is None:
        yield None
        return
    try:
        out = ledger.open("w", encoding="ascii")
    except OSError as error:
        raise UsageError(f"{ledger}: {error.strerror}", remedy="name a file that can be written") from error
    with out:
        yield Ledger(out).write


async def _simulate(scenario: Scenario, counts: Counts, settled: Settled | None) -> Report:
    """Run the scenario; the first signal lets homes finish what is on its way, the second one does not."""
    stop = asyncio.Event()
    running = asyncio.ensure_future(drive(scenario, stop=stop, settled=settled, counts=counts))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: running.cancel() if stop.is_set() else stop.set())
    if not sys.stderr.isatty():
        return await running
    with Progress(*PROGRESS, console=talk(), transient=True) as progress:
        task = progress.add_task("", total=scenario.reports, trouble="")
        while not running.done():
            progress.update(task, completed=counts.acknowledged, trouble=_trouble(counts))
            await asyncio.wait({running}, timeout=REFRESH_S)
    return running.result()


def _trouble(counts: Counts) -> str:
    told = {"repeated": counts.repeated, "NAK": counts.nak, "refused": counts.refused, "lost": counts.lost}
    return "  ".join(f"{count:,} {name}" for name, count in told.items() if count)


def _table(report: Report, scenario: Scenario) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    load = "as fast as answers came" if scenario.rate is None else f"{scenario.rate:g}/s wanted"
    table.add_row(
        f"{report.told:,}", f"reports of {report.homes:,} homes in {report.seconds:.1f} s over {scenario.transport}"
    )
    table.add_row(f"{report.acknowledged:,}", f"acknowledged: {report.per_second:,.0f}/s ({load})")
    for count, meaning in _rest(report):
        table.add_row(f"{count:,}", meaning)
    if report.p50_us is not None:
        for name in ("p50", "p90", "p99", "max"):
            table.add_row(f"{getattr(report, f'{name}_us') / 1000:.2f} ms", f"{name} from due to acknowledged")
    table.add_row(str(scenario.seed), "seed: --seed repeats what was said and what went wrong")
    table.add_row(*("complete", "every report was acknowledged") if report.complete else ("INCOMPLETE", "see above"))
    return table


def _rest(report: Report) -> list[tuple[int, str]]:
    """Return what happened besides acknowledgements, as far as it happened; losses are told in any case."""
    told = (
        (report.refused, "refused (DUH)"),
        (report.repeated, "repeated"),
        (report.nak, "NAK: clock corrected"),
        (report.duplicated, f"sent on a second path too, {report.second_path:,} acknowledged there"),
        (report.malformed, "malformed answers"),
        (report.stray, "answers nobody waited for"),
        (report.dropped, "lines refused or dropped"),
        (report.connections, "connections"),
    )
    return [(report.lost, "lost"), *(entry for entry in told if entry[0])]
