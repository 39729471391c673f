"""``vetlla simulate mqtt`` lets a fleet of terminals report through a broker."""

from __future__ import annotations

import asyncio
import json
import signal
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
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.simulate.callers import HOMES, address_from, receiver_to_dial, write_files
from vetlla.cli.simulate.events import Mishaps
from vetlla.cli.simulate.options import LOST, MIX, RATE, Attempts, Calling, Ending, MixText, Recording
from vetlla.cli.simulate.report import add_backlog, mishaps, teller
from vetlla.domain.errors import LinkError, UsageError
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.simulator import drill
from vetlla.simulator.mqtt.fleet import Event, Fleet
from vetlla.simulator.mqtt.plan import FleetCounts, Plan
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TIMEOUT_S = 5.0
ATTEMPTS = 5


@with_option_groups
def mqtt(
    ctx: typer.Context,
    *,
    to: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Broker to connect to, instead of that of --state-dir.")
    ] = "",
    calling: Calling,
    ending: Ending,
    files_to: Annotated[
        Path | None,
        typer.Option("--export", readable=False, help="Write accounts.csv of these homes for a receiver, and stop."),
    ] = None,
    mix: MixText = MIX,
    timeout: Annotated[
        float, duration("--timeout", help=f"How long a home waits for a receipt ({TIMEOUT_S:g}s).", least_s=0.1)
    ] = TIMEOUT_S,
    attempts: Attempts = ATTEMPTS,
    events: Mishaps,
    recording: Recording,
) -> None:
    """Let terminals report through an MQTT broker and measure the receipts.

    Name the broker with --to, or the receiver that uses it with --state-dir: events open alarms, so none is a default.

    Exit status: 0 every event was accepted, 1 any was lost or refused. Ctrl-C ends the run and prints its results so
    far.

    Example: vetlla simulate mqtt --to 127.0.0.1:1883 --homes 200 --rate 50
    """
    terminals = _terminals(calling.accounts, calling.homes)
    if files_to is not None:
        write_files(files_to, drill.homes(len(terminals)), {})
        return
    host, port = address_from(to) if to else _broker(receiver_to_dial(ctx))
    outage = events.wanted_outage()
    plan = Plan(
        host=host,
        port=port,
        terminals=terminals,
        mix=Mix.parse(mix),
        rate=calling.rate or RATE,
        duration_s=ending.after_s(outage) or float("inf"),
        messages=ending.reports,
        timeout_s=timeout,
        attempts=attempts,
        seed=recording.chosen_seed(),
        outage=outage,
        silence=events.wanted_silence(),
    )
    counts = _run(plan, recording)
    report = _report(plan, counts)
    with verdict(0 if report["complete"] else LOST):
        if recording.as_json:
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


def _run(plan: Plan, recording: Recording) -> FleetCounts:
    with recording.opened_ledger() as out, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        def settled(event: Event) -> None:
            if out:
                out.write(json.dumps(asdict(event)) + "\n")

        return runner.run(_simulate(plan, settled))


async def _simulate(plan: Plan, settled: Callable[[Event], None]) -> FleetCounts:
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
