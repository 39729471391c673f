"""The cost of supervision: the daemon's memory, the cost of a sign of life and the delay of verdicts, at several sizes.

    python -m bench.receiving.supervision [--quick] [--json FILE]

Each size is measured in separate processes. The real daemon with this number of registered accounts shows the memory.
The daemon's supervision over a real journal shows cost and delay while the fleet reports at its interval. The last
figure is the cost of a heartbeat over TCP (bench/receiving/heartbeats.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
import uvloop
from rich.table import Table

from bench.receiving import peers
from bench.receiving.heartbeats import INTERVAL_S, heartbeats
from bench.rig.results import command_line, measured
from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.clock import SECOND_US, SystemClock
from vetlla.domain.signals import AccountId, Arrival, Event, Kind, Phase, Signal
from vetlla.domain.supervision import NOTHING
from vetlla.receiver.commit.group import GroupCommit
from vetlla.receiver.commit.writer import Writer
from vetlla.receiver.counters import Counters
from vetlla.receiver.queue.desk import Desk
from vetlla.receiver.supervision.expectations import Expectations
from vetlla.receiver.supervision.supervision import Supervision
from vetlla.receiver.watchers import Watchers
from vetlla.service.supervision.rules import Health
from vetlla.settings.model import Settings
from vetlla.store.journal.journal import Journal

if TYPE_CHECKING:
    from rich.console import Console

    from vetlla.domain.clock import Instant

SIZES = (10_000, 100_000, 1_000_000)
QUICK = 100
SILENT, SILENT_S = 500, 20
"""Number and interval of the devices that fall silent at random instants. The delay of their verdicts is measured."""
BEATS = 200_000
"""Number of signs of life of random devices that are timed together."""
LOOKS = 200_000
TOLERANCE_S = 1.0
"""More than a step of the generator, so that no device that reports is late."""
RUN_S = 3 * SILENT_S
STEP_S = 0.05


class Fleet(NamedTuple):
    """The daemon's supervision and the accounts that it supervises."""

    supervision: Supervision
    accounts: list[Account]
    commit: GroupCommit
    clock: SystemClock


async def _fleet(directory: Path, size: int) -> Fleet:
    loop, clock = asyncio.get_running_loop(), SystemClock()
    section = {
        "allowed_misses": 1,
        "tolerance_s": TOLERANCE_S,
        "incident_devices": 10_000_000,
        "incident_share": 1.0,
    }
    settings = Settings.model_validate({"state_dir": directory, "supervision": section})
    journal = Journal(directory, clock)
    recovered = journal.recover(1)
    counters, watchers = Counters(("dc09",)), Watchers()
    writer = Writer(journal, loop, clock)
    commit = GroupCommit(
        settings=settings, recovered=recovered, writer=writer, counters=counters, clock=clock, loop=loop
    )
    desk = Desk(settings.queue, recovered, counters)
    supervision = Supervision(
        settings=settings.supervision,
        desk=desk,
        placement=desk.placement,
        commit=commit,
        watchers=watchers,
        clock=clock,
        loop=loop,
    )
    supervision.recover(journal)
    commit.participants = (supervision,)
    every = max(1, size // SILENT)
    accounts = [
        Account(account=f"{n:07}", home=f"H{n:07}", interval_s=INTERVAL_S if n % every else SILENT_S)
        for n in range(size)
    ]
    await supervision.apply(settings.supervision, Expectations(AccountBook(accounts), NOTHING, settings.supervision))
    return Fleet(supervision, accounts, commit, clock)


def _beat(account: Account) -> Signal:
    return Signal("dc09", AccountId("", "", account.account), Event(Kind.HEARTBEAT, Phase.NEW, "NULL", ""), b"")


def _arrival(now: Instant) -> Arrival:
    return Arrival("dc09", "tcp", "127.0.0.1:40000", now, now)


def _cost_of_a_beat(fleet: Fleet) -> float:
    """Return the microseconds of processor time of a random device's sign of life. Each was heard once before."""
    for account in fleet.accounts:
        fleet.supervision.heard(account, (_beat(account),), _arrival(fleet.clock.now()))
    chosen = random.choices(fleet.accounts, k=BEATS)
    heard, beats, arrival = fleet.supervision.heard, (_beat(fleet.accounts[0]),), _arrival(fleet.clock.now())
    began = time.process_time()
    for account in chosen:
        heard(account, beats, arrival)
    return (time.process_time() - began) / BEATS * 1e6


def _cost_of_a_look(fleet: Fleet) -> float:
    """Return the microseconds of processor time to check a device whose deadline has passed."""
    states, now = fleet.supervision._states, fleet.clock.now()  # noqa: SLF001 - timed by itself
    seen = 0
    began = time.process_time()
    while seen < min(LOOKS, len(fleet.accounts)):
        due_us = states.next_us
        assert due_us is not None
        before = now._replace(mono_us=max(now.mono_us, due_us))
        taken = states.wheel.take(before.mono_us, 2_000)
        for device in taken:
            states._look(device, now)  # noqa: SLF001 - timed by itself
        seen += len(taken)
    return (time.process_time() - began) / seen * 1e6


async def _lateness(fleet: Fleet, run_s: float) -> list[float]:
    """Let the fleet report at its interval; return the delay of each verdict on a silent device, in seconds."""
    clock, supervision, accounts = fleet.clock, fleet.supervision, fleet.accounts
    often = [n for n, account in enumerate(accounts) if account.interval_s == SILENT_S]
    falls_s = {n: random.uniform(0, SILENT_S) for n in often}
    errors: list[float] = []
    losses = supervision._losses  # noqa: SLF001 - the changes of state are watched where they are taken
    take = losses.take

    def listen(state_changes: Any) -> None:  # noqa: ANN401 - the state changes of the watch
        for turn in state_changes:
            if turn.device in falls_s and turn.state is Health.LOST:
                now = clock.now()
                errors.append((now.utc_us - supervision.due_us(turn.device, 0, now)) / SECOND_US)
        take(state_changes)

    losses.take = listen  # type: ignore[method-assign] # listen calls the original
    beats, began_us = (_beat(accounts[0]),), clock.now().mono_us
    said = dict.fromkeys((INTERVAL_S, SILENT_S), 0)
    while (gone_s := (clock.now().mono_us - began_us) / SECOND_US) < run_s:
        arrival = _arrival(clock.now())
        for interval_s, numbers in ((INTERVAL_S, range(len(accounts))), (SILENT_S, often)):
            due = round(gone_s / interval_s * len(numbers))
            for turn in range(said[interval_s], due):
                number = numbers[turn * 7919 % len(numbers)]  # a prime, for an order without a pattern
                if gone_s < falls_s.get(number, run_s):
                    supervision.heard(accounts[number], beats, arrival)
            said[interval_s] = due
        await asyncio.sleep(STEP_S)
    return errors


async def _measure(size: int, run_s: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as temporary:
        fleet = await _fleet(Path(temporary), size)
        figures = {"beat_us": statistics.median(_cost_of_a_beat(fleet) for _ in range(3))}
        figures["look_us"] = _cost_of_a_look(await _fleet_again(Path(temporary) / "again", size))
        errors = sorted(await _lateness(fleet, run_s))
        figures["silent"] = float(len(errors))
        for name, place in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
            figures[f"late_{name}_s"] = errors[min(len(errors) - 1, int(len(errors) * place))] if errors else 0.0
        fleet.supervision.stop()
        await fleet.commit.close()
    return figures


async def _fleet_again(directory: Path, size: int) -> Fleet:
    fleet = await _fleet(directory, min(size, LOOKS))
    fleet.supervision.stop()
    return fleet


def _in_a_process(size: int, run_s: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.receiving.supervision", "--size", str(size), "--run", str(run_s)]
    figures: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return figures


def _memory_of_daemon(size: int) -> dict[str, float]:
    """Start the daemon with this number of accounts; return its memory when it is ready, and the time until then."""
    with peers.vetlla(size, None, interval_s=INTERVAL_S) as peer:
        return {"ready_s": peer.ready_s, **{name: peer.memory_mib(name) for name in ("VmRSS", "VmHWM")}}


def main() -> None:
    """Measure every size and print the table. With ``--size`` measure one size and print it as JSON."""
    parser = command_line(__doc__, quick="use a hundredth of the fleets", prog="bench.receiving.supervision")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--run", type=float, default=RUN_S, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        print(json.dumps(uvloop.run(_measure(options.size, options.run))))
        return
    measured(options.json, lambda out: _every_size(out, quick=options.quick))


def _every_size(out: Console, *, quick: bool) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for size in (one // QUICK for one in SIZES) if quick else SIZES:
        with out.status(f"{size:,} devices"):
            results.append({"devices": size, **_in_a_process(size, RUN_S), **_memory_of_daemon(size)})
    _print(results, out)
    return results + heartbeats(out, quick=QUICK if quick else 1)


def _print(results: list[dict[str, Any]], out: Console) -> None:
    columns = ("devices", "sign of life us", "look us", "late p50 s", "p99 s", "max s", "daemon MiB", "peak", "ready s")
    table = Table(*columns, box=None)
    for row in results:
        table.add_row(
            f"{row['devices']:,}",
            f"{row['beat_us']:.2f}",
            f"{row['look_us']:.2f}",
            f"{row['late_p50_s']:.3f}",
            f"{row['late_p99_s']:.3f}",
            f"{row['late_max_s']:.3f}",
            f"{row['VmRSS']:.0f}",
            f"{row['VmHWM']:.0f}",
            f"{row['ready_s']:.1f}",
        )
    out.print(table)
    out.print(f"late: from a silent device's deadline to its verdict, while all others report every {INTERVAL_S} s.")


if __name__ == "__main__":
    main()
