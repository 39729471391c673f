"""``vetlla simulate --protocol mqtt`` runs terminals at a broker instead of lines to a receiver."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from vetlla.cli.accounts import files as account_file
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.simulate.callers import HOMES, address_from, receiver_to_dial, write_files
from vetlla.cli.simulate.events import outage_from, silence_from
from vetlla.cli.simulate.report import add_backlog, mishaps, teller
from vetlla.domain.errors import LinkError, UsageError
from vetlla.simulator import drill
from vetlla.simulator.mqtt.fleet import Event, Fleet
from vetlla.simulator.mqtt.plan import FleetCounts, Plan
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LOST = 1
"""Exit status when an event was not accepted."""
SEEDS = 1_000_000
SIZES = {"rate": 10.0, "duration": 10.0, "timeout": 5.0, "attempts": 5}
"""Defaults of the options of ``vetlla simulate``."""
NOT_HERE = ("closed", "encrypt", "keys_from", "faults", "trust")
"""Options of ``vetlla simulate`` that a fleet at a broker cannot use."""


def simulate_mqtt(ctx: typer.Context) -> None:
    """Run a fleet as the options of ``vetlla simulate`` say; ``--to`` is the broker. Exit as that command does."""
    said: Mapping[str, Any] = ctx.params
    for name in NOT_HERE:
        if said.get(name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} cannot be used with --protocol mqtt", remedy=f"leave {option} out")
    terminals = _terminals(said.get("accounts"), said.get("homes"))
    if (folder := said.get("files_to")) is not None:
        write_files(folder, drill.homes(len(terminals)), {})
        return
    to = said.get("to") or ""
    host, port = address_from(to) if to else _broker(receiver_to_dial(ctx))
    seed = said.get("seed")
    outage = outage_from(said.get("outage") or "", said.get("return_within") or 0.0)
    lasts = SIZES["duration"] + (outage.end_s if outage else 0)
    plan = Plan(
        host=host,
        port=port,
        terminals=terminals,
        mix=Mix.parse(said["mix"]),
        rate=said.get("rate") or SIZES["rate"],
        duration_s=said.get("duration_s") or (float("inf") if said.get("reports") else lasts),
        messages=said.get("reports"),
        timeout_s=said.get("timeout") or SIZES["timeout"],
        attempts=said.get("attempts") or int(SIZES["attempts"]),
        seed=random.randrange(SEEDS) if seed is None else seed,  # noqa: S311 - a simulation, not a secret
        outage=outage,
        silence=silence_from(said.get("silent") or ""),
    )
    counts = _run(plan, said.get("ledger"))
    report = _report(plan, counts)
    with verdict(0 if report["complete"] else LOST):
        if said.get("as_json"):
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
    for place in ask(state_dir, "status")["listening"]:
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

        # Use asyncio's own loop: uvloop does not notice when the broker resets a connection that aiomqtt watches.
        return asyncio.run(_simulate(plan, settled))


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
