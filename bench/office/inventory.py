"""The inventory of a full park: the cost of import and report, and what an import costs a running receiver.

    python -m bench.office.inventory [--homes 95000] [--seed 1]

Every command runs as a separate process, as an operator runs it. The kernel reports its processor time and peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from bench.receiving import peers
from bench.rig.machine import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 1_000
SECONDS = 20
TURNS = 3
DAY = ("--day", "2024-04-01")
VETLLA = (sys.executable, "-m", "vetlla")


class Cost(NamedTuple):
    """Time, processor time and peak memory of a command."""

    seconds: float
    cpu_s: float
    memory_mib: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.cpu_s:.1f} s of processor), {self.memory_mib:.0f} MiB at most"


def run(*arguments: object, state: Path, may_end: tuple[int, ...] = (0,)) -> Cost:
    """Run a vetlla command and return its cost. Raises CalledProcessError if it ends with another status."""
    command = [*VETLLA, *map(str, arguments), "--state-dir", str(state)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in may_end:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def park_of(homes: int, seed: int, folder: Path) -> str:
    """Write a generated park into a folder, and return its size in words.

    A separate process generates it, because our own memory would count in the peak memory of later child processes.
    """
    size = ("--homes", str(homes), "--seed", str(seed))
    generator = [sys.executable, "-m", "vetlla", "inventory", "sample", *size, "--out", str(folder)]
    return subprocess.run(generator, check=True, capture_output=True, text=True).stdout.strip()


def receiver_figures(state: Path, during: Sequence[Sequence[object]]) -> tuple[dict[str, Any], list[Cost]]:
    """Send 1,000 frames/s to a receiver while commands run; return its latencies and the costs of the commands."""
    with peers.vetlla(50, None, state) as peer:
        load = [sys.executable, "-m", "bench.receiving.load", str(peer.port)]
        load += ["--connections", "50", "--rate", str(RATE)]
        sender = subprocess.Popen([*load, "--frames", str(RATE * SECONDS)], stdout=subprocess.PIPE)
        costs = [run(*command, state=state) for command in during]
        out, _ = sender.communicate()
    return json.loads(out), costs


def main() -> None:
    """Run all measurements and print the figures."""
    parser = argparse.ArgumentParser(description="The inventory of a full park.")
    parser.add_argument("--homes", type=int, default=95_000, help="number of homes; 95,000 homes have 250,000 devices")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        park, state = Path(folder) / "park", Path(folder) / "state"
        state.mkdir()
        out.print(park_of(asked.homes, asked.seed, park))
        for what in ("homes", "people", "devices"):
            command = ("inventory", "import", park / f"{what}.csv", "--what", what, *DAY)
            out.print(f"import {what}: {run(*command, state=state)}")
        out.print(f"import devices again: {run('inventory', 'import', park / 'devices.csv', *DAY, state=state)}")
        for files in (("json",), ("csv",), ("xlsx",), ("xlsx", "csv", "json")):
            outs = [part for ending in files for part in ("--out", Path(folder) / f"report.{ending}")]
            cost = run("inventory", "report", "--month", "2024-04", *outs, state=state)
            out.print(f"monthly report, {' + '.join(files)}: {cost}")
        _beside_a_receiver(park, Path(folder), out)


def _beside_a_receiver(park: Path, folder: Path, out: Console) -> None:
    """Measure a receiver in turns alone and during an import, so that other work on the machine affects both alike."""
    homes = ("inventory", "import", park / "homes.csv", "--what", "homes", *DAY)
    devices = ("inventory", "import", park / "devices.csv", *DAY)
    p99: dict[str, list[float]] = {"alone": [], "during an import": []}
    for turn in range(TURNS):
        for name, commands in (("alone", ()), ("during an import", (homes, devices))):
            state = folder / f"{name.replace(' ', '-')}-{turn}"
            state.mkdir(mode=0o750)
            figures, costs = receiver_figures(state, commands)
            p99[name].append(figures["p99_ms"])
            took = f" ({sum(cost.seconds for cost in costs):.0f} of {SECONDS} s)" if costs else ""
            out.print(
                f"receiver at {RATE:,} frames/s {name}{took}: ACK p50 {figures['p50_ms']:.2f} ms,"
                f" p99 {figures['p99_ms']:.2f} ms, max {figures['max_ms']:.1f} ms"
            )
    alone, busy = (median(p99[name]) for name in p99)
    out.print(f"median p99: {alone:.2f} ms alone, {busy:.2f} ms during an import")


if __name__ == "__main__":
    main()
