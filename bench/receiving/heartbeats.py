"""The cost of a heartbeat in a small and in a large fleet: the real daemon over TCP, including its records.

    python -m bench.receiving.heartbeats [--quick] [--json FILE]

A daemon for each size runs at the same time. They take floods of heartbeats in turns, from accounts in random order, so
that other work on the machine affects all of them alike. This gives the cost of a heartbeat at the highest rate of one
core, where a small fleet fits in the processor's caches. Then each fleet reports at its own interval, as it does all
year; the daemon's idle cost is subtracted. Every account is heard once before, because its first report costs more.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.receiving import peers
from bench.rig.results import command_line, measured

if TYPE_CHECKING:
    from rich.console import Console

SIZES = (10_000, 100_000, 1_000_000)
INTERVAL_S = 900
ROUNDS = 8
BEATS = 100_000
"""Heartbeats in one flood."""
CONNECTIONS = 500
IDLE_S, PACED_S, PACED_CONNECTIONS = 30.0, 60.0, 10
QUICK = 100


def main() -> None:
    """Measure and print the table."""
    parser = command_line(__doc__, quick="use a hundredth of the fleets", prog="bench.receiving.heartbeats")
    options = parser.parse_args()
    measured(options.json, lambda out: heartbeats(out, quick=QUICK if options.quick else 1))


def heartbeats(out: Console, *, quick: int = 1) -> list[dict[str, Any]]:
    """Measure every size and print the result. ``quick`` divides fleets and floods."""
    sizes = [size // quick for size in SIZES]
    floods: dict[int, list[float]] = {size: [] for size in sizes}
    with ExitStack() as running:
        fleets = {size: running.enter_context(peers.vetlla(size, None, interval_s=INTERVAL_S)) for size in sizes}
        for size, peer in fleets.items():
            with out.status(f"{size:,} devices report for the first time"):
                _flood(peer, size, size)
        for turn in range(ROUNDS):
            with out.status(f"round {turn + 1} of {ROUNDS}"):
                for size, peer in fleets.items():
                    floods[size].append(_flood(peer, size, BEATS // quick))
        paced_s, interval_s = (PACED_S, INTERVAL_S) if quick == 1 else (PACED_S / 10, INTERVAL_S / quick)
        with out.status("no device reports"):
            idle = _idle(fleets, min(paced_s, IDLE_S))
        paced = {}
        for size, peer in fleets.items():
            with out.status(f"{size:,} devices report every {interval_s} s"):
                rate = size / interval_s
                paced[size] = _paced(peer, size, rate, round(rate * paced_s), idle[size])
    _print(floods, paced, out)
    return [
        {"load": "heartbeats of a fleet", "devices": size, "flood_cpu_us": floods[size], "paced_cpu_us": paced[size]}
        for size in sizes
    ]


def _idle(fleets: dict[int, peers.Peer], seconds: float) -> dict[int, float]:
    """Return the share of a core that each daemon needs while no device reports."""
    before = {size: peer.cpu_s() for size, peer in fleets.items()}
    time.sleep(seconds)
    return {size: (peer.cpu_s() - before[size]) / seconds for size, peer in fleets.items()}


def _paced(peer: peers.Peer, fleet: int, rate: float, frames: int, idle: float) -> float:
    """Let a fleet report at its interval; return the cost of each heartbeat above an idle daemon, in microseconds."""
    frames += -frames % PACED_CONNECTIONS
    began, before = time.perf_counter(), peer.cpu_s()
    _load(peer, fleet, frames, PACED_CONNECTIONS, "--rate", str(rate))
    used_s = peer.cpu_s() - before - idle * (time.perf_counter() - began)
    return used_s / frames * 1e6


def _flood(peer: peers.Peer, fleet: int, frames: int) -> float:
    """Let a fleet send heartbeats; return the daemon's processor time for each, in microseconds."""
    before = peer.cpu_s()
    _load(peer, fleet, frames, min(CONNECTIONS, fleet))
    return (peer.cpu_s() - before) / frames * 1e6


def _load(peer: peers.Peer, fleet: int, frames: int, connections: int, *options: str) -> None:
    command = [sys.executable, "-m", "bench.receiving.load", str(peer.port), "--connections", str(connections)]
    command += ["--frames", str(frames), "--fleet", str(fleet), *options]
    subprocess.run(command, check=True, capture_output=True)


def _print(floods: dict[int, list[float]], paced: dict[int, float], out: Console) -> None:
    table = Table("devices", "CPU us, flood", "least", "most", "to the smallest", "CPU us, own pace", box=None)
    smallest = min(floods)
    for size, found in floods.items():
        ratio = statistics.median(mine / other for mine, other in zip(found, floods[smallest], strict=True))
        figures = f"{statistics.median(found):.1f}", f"{min(found):.1f}", f"{max(found):.1f}"
        table.add_row(f"{size:,}", *figures, f"{ratio:.2f}", f"{paced[size]:.1f}")
    out.print(table)
    out.print(
        f"Floods: median of {ROUNDS} rounds, each compared with the smallest fleet in its round. Own pace: each device"
    )
    out.print(f"reports every {INTERVAL_S} s, and the cost of an idle daemon is subtracted.")


if __name__ == "__main__":
    main()
