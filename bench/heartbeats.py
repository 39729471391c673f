"""What a heartbeat costs in a small fleet and in a great one: the real daemon over TCP, its bookkeeping included.

    python -m bench.heartbeats [--quick] [--json FILE]

A daemon for each size runs at the same time, and in turn each takes a flood of heartbeats from accounts in no order, so
that whatever else the machine does falls on all of them alike. Every account was heard once before it counts: the first
time is news.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import peers
from bench.machine import describe

SIZES = (10_000, 100_000, 1_000_000)
INTERVAL_S = 900
ROUNDS = 12
BEATS = 100_000
"""Heartbeats in one flood."""
CONNECTIONS = 500
QUICK = 100


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench.heartbeats", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the fleets: does it run?")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    out, machine = Console(), describe()
    out.print(str(machine), highlight=False)
    results = heartbeats(out, quick=QUICK if options.quick else 1)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine._asdict(), "results": results}, indent=1))


def heartbeats(out: Console, *, quick: int = 1) -> list[dict[str, Any]]:
    """Measure every size and print what came of it; ``quick`` divides fleets and floods."""
    sizes = [size // quick for size in SIZES]
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    with ExitStack() as running:
        fleets = {size: running.enter_context(peers.vetlla(size, None, interval_s=INTERVAL_S)) for size in sizes}
        for size, peer in fleets.items():
            with out.status(f"{size:,} devices are heard for the first time"):
                _flood(peer, size, size)
        for turn in range(ROUNDS):
            with out.status(f"round {turn + 1} of {ROUNDS}"):
                for size, peer in fleets.items():
                    costs[size].append(_flood(peer, size, BEATS // quick))
    _print(costs, out)
    return [{"load": "heartbeats of a fleet", "devices": size, "cpu_us": costs[size]} for size in sizes]


def _flood(peer: peers.Peer, fleet: int, frames: int) -> float:
    """Let a fleet send so many heartbeats; return what each cost the daemon, in microseconds of processor time."""
    connections = min(CONNECTIONS, fleet)
    command = [sys.executable, "-m", "bench.load", str(peer.port), "--connections", str(connections)]
    command += ["--frames", str(frames), "--fleet", str(fleet)]
    before = peer.cpu_s()
    subprocess.run(command, check=True, capture_output=True)
    return (peer.cpu_s() - before) / frames * 1e6


def _print(costs: dict[int, list[float]], out: Console) -> None:
    table = Table("devices", "CPU us/heartbeat", "least", "most", "against the smallest, round by round", box=None)
    smallest = min(costs)
    for size, found in costs.items():
        ratio = statistics.median(mine / other for mine, other in zip(found, costs[smallest], strict=True))
        figures = f"{statistics.median(found):.1f}", f"{min(found):.1f}", f"{max(found):.1f}"
        table.add_row(f"{size:,}", *figures, f"{ratio:.2f}")
    out.print(table)
    out.print(f"Median of {ROUNDS} rounds; their daemons ran side by side, one after the other under load.")


if __name__ == "__main__":
    main()
