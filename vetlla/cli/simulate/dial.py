"""``vetlla simulate dial`` lets homes dial a receiver over real sockets."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.simulate.callers import address_from, callers, receiver_to_dial, write_files
from vetlla.cli.simulate.events import Mishaps
from vetlla.cli.simulate.options import LOST, MIX, RATE, Attempts, Calling, Ending, MixText, Recording
from vetlla.cli.simulate.report import table, teller, trouble
from vetlla.domain.errors import LinkError, UsageError
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.simulator.dialects.registry import DIALECTS, find
from vetlla.simulator.drive import drive
from vetlla.simulator.ledger import Ledger
from vetlla.simulator.scenario import ACK_TIMEOUT_S, ATTEMPTS, Connection, Scenario, Transport
from vetlla.simulator.statistics import Counts, Report
from vetlla.simulator.weights import Faults, Mix

if TYPE_CHECKING:
    from vetlla.simulator.dialling.subscriber import Settled

REFRESH_S = 0.2
"""Time between two updates of the progress. It looks smooth, and the updates do not change the load."""
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound
"""Address that a receiver listens on -> address to dial it at from its own machine."""
PROGRESS = (
    SpinnerColumn(),
    TextColumn("{task.completed:,.0f} acknowledged", markup=False),
    BarColumn(bar_width=30),
    TimeElapsedColumn(),
    TextColumn("{task.fields[trouble]}", style="yellow", markup=False),
)


@with_option_groups
def dial(
    ctx: typer.Context,
    *,
    protocol: Annotated[
        str, typer.Option(metavar="PROTOCOL", help=f"Protocol of the homes: {', '.join(DIALECTS)}.")
    ] = "dc09",
    to: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Receiver to dial, instead of that of --state-dir.")
    ] = "",
    calling: Calling,
    closed: Annotated[
        bool, typer.Option("--closed", help="Send as fast as answers come back, instead of --rate.")
    ] = False,
    ending: Ending,
    transport: Annotated[Transport, typer.Option(help="Transport of the homes.")] = Transport.TCP,
    connection: Annotated[Connection, typer.Option(help="Stay connected, or dial again for each report.")] = (
        Connection.KEEP
    ),
    encrypt: Annotated[
        str, typer.Option(help="none, 128, 192 or 256 bits with invented keys; default: as --accounts and --keys-from.")
    ] = "",
    keys_from: Annotated[
        Path | None, typer.Option(readable=False, help="Keys file that holds the keys that --accounts names.")
    ] = None,
    files_to: Annotated[
        Path | None,
        typer.Option(
            "--export", readable=False, help="Write accounts.csv and keys.toml of these homes for a receiver, and stop."
        ),
    ] = None,
    mix: MixText = MIX,
    faults: Annotated[
        str, typer.Option(help="Shares of faults: torn, batch, damage, retry, duplicate, clock; storm=MESSAGES.")
    ] = "",
    timeout: Annotated[
        float, duration("--timeout", help=f"How long a home waits for an answer ({ACK_TIMEOUT_S:g}s).", least_s=0.1)
    ] = ACK_TIMEOUT_S,
    attempts: Attempts = ATTEMPTS,
    events: Mishaps,
    trust: Annotated[
        Path | None, typer.Option(readable=False, help="Certificate the receiver must show (tls); default: any.")
    ] = None,
    recording: Recording,
) -> None:
    """Let homes dial a receiver over real sockets and measure the answers.

    Name the receiver with --to or --state-dir: homes that dial in open alarms, so there is no default.

    Exit status: 0 every report was acknowledged, 1 any was lost or refused. Reports that a protocol never acknowledges
    are counted apart, as sent. Ctrl-C ends the calls and prints their results so far.

    Example: vetlla simulate dial --to 127.0.0.1:9009 --homes 500 --rate 200 --faults torn,damage=0.02 --ledger x.ndjson
    """
    dialect = find(protocol)
    if closed and calling.rate is not None:
        raise UsageError("--closed and --rate exclude each other", remedy="--closed calls as fast as answers come back")
    seed = recording.chosen_seed()
    accounts, keys = callers(dialect, calling.accounts, calling.homes, encrypt, keys_from, seed)
    if files_to is not None:
        write_files(files_to, accounts, keys)
        return
    outage = events.wanted_outage()
    host, port = address_from(to) if to else _listener(receiver_to_dial(ctx), protocol)
    scenario = Scenario(
        host=host,
        port=port,
        accounts=accounts,
        keys=keys,
        rate=None if closed else calling.rate or RATE,
        reports=ending.reports,
        duration_s=ending.after_s(outage),
        transport=transport,
        connection=connection,
        mix=Mix.parse(mix),
        faults=Faults.parse(faults),
        timeout_s=timeout,
        attempts=attempts,
        seed=seed,
        trusted=str(trust) if trust else None,
        protocol=protocol,
        outage=outage,
        silence=events.wanted_silence(),
    )
    report = _run(scenario, recording)
    with verdict(0 if report.complete else LOST):
        if recording.as_json:
            said = {"to": f"{host}:{port}", "protocol": protocol, "seed": seed}
            print_json({**said, **asdict(report), "complete": report.complete})
        else:
            console().print(table(report, scenario))


def _listener(state_dir: Path, protocol: str) -> tuple[str, int]:
    """Return where the receiver of a state directory listens for a protocol."""
    for listener in ask(state_dir, ShowStatus())["listening"]:
        if listener["protocol"] == protocol:
            return ANYWHERE.get(listener["host"], listener["host"]), listener["port"]
    raise LinkError(f"the receiver does not listen for {protocol}", remedy="name another one with --to HOST:PORT")


def _run(scenario: Scenario, recording: Recording) -> Report:
    counts = Counts()
    with recording.opened_ledger() as out, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        settled = Ledger(out).write if out else None
        try:
            return runner.run(_simulate(scenario, counts, settled))
        except asyncio.CancelledError:
            done = counts.acknowledged + counts.sent
            talk().print(f"stopped early: {done:,} of {counts.told:,} reports were acknowledged")
            raise typer.Exit(LOST) from None


async def _simulate(scenario: Scenario, counts: Counts, settled: Settled | None) -> Report:
    """Run the scenario. The first stop signal lets homes finish the reports on their way; the second does not."""
    stop = asyncio.Event()
    screen = talk()
    running = asyncio.ensure_future(drive(scenario, stop=stop, settled=settled, counts=counts, tell=teller(screen)))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: running.cancel() if stop.is_set() else stop.set())
    if not sys.stderr.isatty():
        return await running
    with Progress(*PROGRESS, console=screen, transient=True) as progress:
        task = progress.add_task("", total=scenario.reports, trouble="")
        while not running.done():
            progress.update(task, completed=counts.acknowledged + counts.sent, trouble=trouble(counts))
            await asyncio.wait({running}, timeout=REFRESH_S)
    return running.result()
