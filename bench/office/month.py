"""A full month of a large service: what its report, invoice, ledger and close cost, alone and beside a receiver.

    python -m bench.office.month [--homes 86250] [--seed 1] [--dir FOLDER] [--seconds N]

``bench.office.month_data`` makes the state directory, which takes some minutes; with ``--dir`` it is kept there, and a
second run with the same folder uses it. Every command runs as a separate process, as an operator runs it. The kernel
reports its processor time and peak memory. Then a receiver takes 1,000 frames/s in turns alone and beside the same
commands, over a copy of the same state directory. A turn is as long as the commands took alone, so that one of them is
at work at every moment of it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from bench.office.duties import total
from bench.office.inventory import RATE, run
from bench.office.month_data import HOMES, MONTH, YEAR
from bench.receiving import peers
from bench.rig.machine import describe
from vetlla.domain.clock import SystemClock
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.office.inventory import Cost

LABEL: Final = f"{YEAR}-{MONTH:02}"
AIM_S: Final = 60
AIM_MIB: Final = 1024
"""Of the report and the invoice with all their documents; and again of the close, which makes all of it once more."""
TURNS: Final = 2
CONNECTIONS: Final = 50
ENDINGS: Final = (0, 1, 3)
"""A month that kept no level or has faults ends its report with 1, one with an unmeasured level with 3."""


def commands(outs: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield the commands of a month with their names; their files go into a folder.

    The ledger comes after the close, because it takes closed months as they are.
    """
    outs.mkdir()
    report, invoice = ("sla", "report", "--month", LABEL), ("invoice", "make", "--month", LABEL)
    yield "sla report, PDF and XLSX", (*report, "--out", outs / "ans.pdf", "--out", outs / "ans.xlsx")
    files = ("--pdf", outs / "invoice.pdf", "--xml", outs / "invoice.xml", "--xlsx", outs / "invoice.xlsx")
    yield "invoice make, PDF, XML, XLSX", (*invoice, *files, "--json")
    documents = [part for name in ("ans.pdf", "invoice.pdf", "invoice.xml") for part in ("--document", outs / name)]
    yield "month close", ("month", "close", LABEL, *documents, "--json")
    yield "sanctions ledger", ("sanctions", "ledger", "--month", LABEL, "--out", outs / "faults.xlsx", "--json")


def copy_of(state: Path, folder: Path) -> Path:
    """Return a copy of a state directory: a close of the month changes it, and each measurement is of the first one."""
    copy = folder / "state"
    copy.mkdir(mode=0o750)
    for name in (REGISTRY, JOURNAL):
        shutil.copy(state / name, copy / name)
    with transaction(copy, SystemClock()):
        pass  # a registry of an earlier version is migrated, because each reader would migrate it in memory
    return copy


def alone(state: Path, out: Console) -> Cost:
    """Print what each command costs on a machine without a receiver, against the aims; return the cost of all."""
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        copy = copy_of(state, Path(folder))
        costs: list[Cost] = []
        for name, command in commands(Path(folder) / "outs"):
            costs.append(run(*command, state=copy, may_end=ENDINGS))
            out.print(f"{name}: {costs[-1]}")
        sizes = ", ".join(f"{one.name} {one.stat().st_size >> 10}" for one in sorted((Path(folder) / "outs").iterdir()))
    out.print(f"files in KiB: {sizes}")
    report, invoice, close, _ = costs
    for what, cost in (("report and invoice with their documents", total((report, invoice))), ("close", close)):
        met = "met" if cost.seconds < AIM_S and cost.memory_mib < AIM_MIB else "not met"
        out.print(f"{what}: {cost} (aims: {AIM_S} s, {AIM_MIB} MiB): {met}")
    return total(costs)


def beside_a_receiver(state: Path, seconds: int, turns: int, out: Console) -> None:
    """Print the latencies of a receiver in turns alone and beside the month, so that other work affects both alike."""
    p99: dict[bool, list[float]] = {False: [], True: []}
    for is_busy in (False, True) * turns:
        with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
            figures, took = _turn(copy_of(state, Path(folder)), Path(folder) / "outs", seconds, is_busy=is_busy)
        p99[is_busy].append(figures["p99_ms"])
        beside = f"beside the month, which took {took:.0f} s" if is_busy else "alone"
        out.print(
            f"receiver at {RATE:,} frames/s for {seconds} s {beside}: ACK p50 {figures['p50_ms']:.2f} ms,"
            f" p99 {figures['p99_ms']:.2f} ms, p99.9 {figures['p999_ms']:.2f} ms, max {figures['max_ms']:.1f} ms"
        )
    out.print(f"median p99: {median(p99[False]):.2f} ms alone, {median(p99[True]):.2f} ms beside the month")


def _turn(state: Path, outs: Path, seconds: int, *, is_busy: bool) -> tuple[dict[str, Any], float]:
    """Return the latencies of a receiver, and how long the commands beside it took.

    Commands that still run when the load has ended are waited for.
    """
    took = 0.0
    with ExitStack() as stack:
        peer = stack.enter_context(peers.vetlla(CONNECTIONS, None, state))
        load = [sys.executable, "-m", "bench.receiving.load", str(peer.port), "--connections", str(CONNECTIONS)]
        sender = subprocess.Popen([*load, "--rate", str(RATE), "--frames", str(RATE * seconds)], stdout=subprocess.PIPE)
        if is_busy:
            began = time.perf_counter()
            for _, command in commands(outs):
                run(*command, state=state, may_end=ENDINGS)
            took = time.perf_counter() - began
        answer, _ = sender.communicate()
    return json.loads(answer), took


def main() -> None:
    """Make the month, if it is not made yet, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--homes", type=int, default=HOMES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="keep the state directory here, or use the one that is here")
    parser.add_argument("--seconds", type=int, default=0, help="length of each turn of the receiver")
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of the receiver, alone and beside the month")
    asked = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        state = asked.dir or Path(folder) / "state"
        if not state.exists():
            size = ("--homes", str(asked.homes), "--seed", str(asked.seed))
            # A process of its own makes it, because our memory would count in the peak of later children.
            subprocess.run([sys.executable, "-m", "bench.office.month_data", str(state), *size], check=True)
        sizes = " MiB, ".join(f"{name} {(state / name).stat().st_size >> 20}" for name in (REGISTRY, JOURNAL))
        out.print(f"{LABEL}: {sizes} MiB")
        cost = alone(state, out)
        if asked.turns:
            beside_a_receiver(state, asked.seconds or 1 + int(cost.seconds), asked.turns, out)


if __name__ == "__main__":
    main()
