"""``vetlla simulate mqtt`` lets a fleet of terminals report through a broker."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop
from rich.table import Table

from vetlla.cli.accounts import files as account_file
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.simulate.callers import HOMES, address_from, receiver_to_dial, write_files
from vetlla.cli.simulate.events import Outages, ReturnWithin, Silent, outage_from, silence_from
from vetlla.cli.simulate.options import (
    DURATION_S,
    LOST,
    MIX,
    RATE,
    SEEDS,
    AccountsFile,
    Attempts,
    DurationS,
    Homes,
    LedgerFile,
    MixText,
    Rate,
    Reports,
    Seed,
)
from vetlla.cli.simulate.report import add_backlog, mishaps, teller
from vetlla.domain.errors import LinkError, UsageError
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.simulator import drill
from vetlla.simulator.mqtt.fleet import Event, Fleet
from vetlla.simulator.mqtt.plan import FleetCounts, Plan
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 5.0
ATTEMPTS = 5


def mqtt(
    ctx: typer.Context,
    *,
    to: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Broker to connect to, instead of that of --state-dir.")
    ] = "",
    homes: Homes = None,
    accounts: AccountsFile = None,
    rate: Rate = None,
    duration_s: DurationS = None,
    reports: Reports = None,
    files_to: Annotated[
        Path | None,
        typer.Option("--export", readable=False, help="Write accounts.csv of these homes for a receiver, and stop."),
    ] = None,
    mix: MixText = MIX,
    timeout: Annotated[
        float, duration("--timeout", help=f"How long a home waits for a receipt ({TIMEOUT_S:g}s).", least_s=0.1)
    ] = TIMEOUT_S,
    attempts: Attempts = ATTEMPTS,
    outage: Outages = "",
    return_within: ReturnWithin = 0.0,
    silent: Silent = "",
    ledger: LedgerFile = None,
    seed: Seed = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,  # noqa: ARG001 - receiver_to_dial reads it
    as_json: AsJson = False,
) -> None:
    """Let terminals report through an MQTT broker and measure the receipts.

    Name the broker with --to, or the receiver that uses it with --state-dir: events open alarms, so none is a default.

    Exit status: 0 every event was accepted, 1 any was lost or refused. Ctrl-C ends the run and prints its results so
    far.

    Example: vetlla simulate mqtt --to 127.0.0.1:1883 --homes 200 --rate 50
    """
    terminals = _terminals(accounts, homes)
    if files_to is not None:
        write_files(files_to, drill.homes(len(terminals)), {})
        return
    host, port = address_from(to) if to else _broker(receiver_to_dial(ctx))
    wanted_outage = outage_from(outage, return_within)
    lasts = DURATION_S + (wanted_outage.end_s if wanted_outage else 0)
    plan = Plan(
        host=host,
        port=port,
        terminals=terminals,
        mix=Mix.parse(mix),
        rate=rate or RATE,
        duration_s=duration_s or (float("inf") if reports else lasts),
        messages=reports,
        timeout_s=timeout,
        attempts=attempts,
        seed=random.randrange(SEEDS) if seed is None else seed,  # noqa: S311 - a simulation, not a secret
        outage=wanted_outage,
        silence=silence_from(silent),
    )
    counts = _run(plan, ledger)
    report = _report(plan, counts)
    with verdict(0 if report["complete"] else LOST):
        if as_json:
            print_json(report)
        else:
            _print(report, counts)


def _terminals(accounts: Path | None, homes: int | None) -> Sequence[str]:
    if accounts is None:
        return [account.account for account in drill.homes(homes or HOMES)]
    terminals = [entry.place.account for entry in account_file.entries(accounts)][:homes]
    if not terminals:
        raise UsageError(f"{accounts}: no accounts", remedy="name a file that `vetlla accounts import` takes")
    return terminals


def _broker(state_dir: Path) -> tuple[str, int]:
    """Return the broker that the receiver of a state directory uses."""
    for place in ask(state_dir, ShowStatus())["listening"]:
        if place["protocol"] == "mqtt" and "connected" in place:
            return place["host"], place["port"]
    raise LinkError("the receiver has no MQTT broker", remedy="name the broker with --to HOST:PORT")


def _run(plan: Plan, ledger: Path | None) -> FleetCounts:
    with ExitStack() as stack:
        settled = None
        if ledger is not None:
            try:
                out = stack.enter_context(ledger.open("w", encoding="ascii"))
            except OSError as error:
                raise UsageError(f"{ledger}: {error.strerror}", remedy="name a file that can be written") from error

            def settled(event: Event) -> None:
                out.write(json.dumps(asdict(event)) + "\n")

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_simulate(plan, settled))


async def _simulate(plan: Plan, settled: Any) -> FleetCounts:  # noqa: ANN401 - see above
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await Fleet(plan, settled=settled, tell=teller(talk())).run(stop)


def _report(plan: Plan, counts: FleetCounts) -> dict[str, Any]:
    fields = asdict(counts)
    latencies = counts.latencies
    for ours in ("latencies", "back_ns", "backlog_settled_ns"):
        del fields[ours]
    percentiles = {f"p{percent}_us": latencies.percentile(percent) for percent in (50, 90, 99)}
    return {
        "to": f"{plan.host}:{plan.port}",
        "protocol": "mqtt",
        "seed": plan.seed,
        "homes": len(plan.terminals),
        **fields,
        "seconds": round(counts.seconds, 3),
        "per_second": round((counts.accepted + counts.heartbeats) / counts.seconds, 1) if counts.seconds else 0.0,
        "backlog_s": counts.backlog_s,
        **percentiles,
        "max_us": latencies.max,
        "complete": counts.complete,
    }


def _print(report: Mapping[str, Any], counts: FleetCounts) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="bold")
    table.add_column()
    where = f"of {report['homes']:,} terminals in {report['seconds']:.1f} s at broker {report['to']}"
    table.add_row(f"{report['told']:,}", f"events {where}")
    for name, meaning in (
        ("accepted", "accepted: receipted by a receiver"),
        ("refused", "refused"),
        ("lost", "without a receipt"),
        ("repeated", "repetitions"),
        ("heartbeats", "heartbeats"),
        ("connections", "connections"),
    ):
        table.add_row(f"{report[name]:,}", meaning)
    for count, meaning in mishaps(counts):
        table.add_row(f"{count:,}", meaning)
    if report["p50_us"] is not None:
        for name in ("p50", "p90", "p99", "max"):
            table.add_row(f"{report[f'{name}_us'] / 1000:.2f} ms", f"{name} from due to receipted")
    add_backlog(table, counts)
    table.add_row(
        "complete" if report["complete"] else "INCOMPLETE",
        "every event was accepted" if report["complete"] else "see above",
    )
    console().print(table)
