"""A fleet returns after an outage: 100,000 terminals within a minute, each on a new connection with its backlog.

    python -m bench.receiving.storm [--quick] [--only dc09|eview]

The measured figure is the wait of LIFE alarms: from the instant when a terminal wanted to dial until its alarm is
*ready* in the operators' queue, by the journal's own stamps. The load is storm_load.py in two processes. A terminal
that the load dials late waits longer, so the table also shows these delays.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bench.receiving import peers
from bench.receiving.load import account
from bench.receiving.storm_load import BACKLOG, due_us
from bench.rig.machine import describe
from vetlla.domain.signals import Priority
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Sequence

TERMINALS = 100_000
WITHIN_S = 60.0
AIM_S = 5.0
"""No LIFE alarm may take longer."""
LOADERS = 2
PROTOCOLS = ("dc09", "eview")
SETTLE_S = 300.0
"""Longest time from the last terminal's dial until the storm is over; then the run fails."""
START_S = 1.0
"""Time from the start command to the loaders until the first terminal may dial."""


def main() -> None:
    """Run the storms and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="use a tenth of terminals and time, to check that it runs")
    parser.add_argument("--only", choices=PROTOCOLS)
    options = parser.parse_args()
    out = Console()
    out.print(str(describe()), highlight=False)
    storms(out, quick=10 if options.quick else 1, protocols=(options.only,) if options.only else PROTOCOLS)


def storms(out: Console, *, quick: int = 1, protocols: Sequence[str] = PROTOCOLS) -> list[dict[str, Any]]:
    """Let a fleet of each protocol return, and print the result. ``quick`` divides the fleet and the time."""
    results = []
    for protocol in protocols:
        with out.status(f"return storm: {protocol}"):
            results.append(_storm(protocol, TERMINALS // quick, WITHIN_S / quick))
    _print(results, out)
    return results


def _storm(protocol: str, terminals: int, within_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vetlla-storm-") as temporary:
        state_dir = Path(temporary)
        with peers.vetlla(terminals, None, state_dir, protocol=protocol) as peer:
            loaders = [_loader(peer.port, protocol, terminals, within_s, part) for part in range(LOADERS)]
            try:
                start_us = _start(loaders)
                before = peer.cpu_s()
                told = [_finish(loader, within_s) for loader in loaders]
            finally:
                for loader in loaders:
                    loader.kill()
                    loader.wait()
            cpu_s, memory_mib = peer.cpu_s() - before, peer.memory_mib()
        waits, unstamped = _waits(state_dir, protocol, terminals, within_s, start_us)
    return {
        "load": f"return storm, {protocol}",
        "terminals": terminals,
        "within_s": within_s,
        "reports": sum(one["acknowledged"] for one in told),
        "lost": terminals * BACKLOG - sum(one["acknowledged"] for one in told),
        "again": sum(one["again"] for one in told),
        "most_open": sum(one["most_open"] for one in told),
        "seconds": max(one["seconds"] for one in told),
        "life": len(waits),
        "life_unstamped": unstamped,
        "life_p50_s": waits[len(waits) // 2],
        "life_p99_s": waits[len(waits) * 99 // 100],
        "life_max_s": waits[-1],
        "life_late": sum(wait > AIM_S for wait in waits),
        "ack_p99_s": max(one["ack_p99_s"] for one in told),
        "late_dial_p99_s": max(one["late_p99_s"] for one in told),
        "late_dial_max_s": max(one["late_max_s"] for one in told),
        "cpu_s": cpu_s,
        "loaders_cpu_s": sum(one["cpu_s"] for one in told),
        "memory_mib": memory_mib,
    }


def _loader(port: int, protocol: str, terminals: int, within_s: float, part: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.receiving.storm_load", str(port), "--protocol", protocol]
    command += ["--terminals", str(terminals), "--within", str(within_s), "--part", str(part), "--parts", str(LOADERS)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _start(loaders: Sequence[subprocess.Popen[str]]) -> int:
    """Wait until every loader has built its frames, then start all. Return the start in microseconds UTC."""
    for loader in loaders:
        assert loader.stdout
        assert loader.stdout.readline() == "ready\n"
    start_us = time.time_ns() // 1000 + round(START_S * 1e6)
    for loader in loaders:
        assert loader.stdin
        loader.stdin.write(f"{start_us}\n")
        loader.stdin.flush()
    return start_us


def _finish(loader: subprocess.Popen[str], within_s: float) -> dict[str, float]:
    said, _ = loader.communicate(timeout=within_s + SETTLE_S)
    figures: dict[str, float] = json.loads(said)
    return figures


def _waits(state_dir: Path, protocol: str, terminals: int, within_s: float, start_us: int) -> tuple[list[float], int]:
    """Return the sorted seconds from when a terminal wanted to dial until its LIFE alarm was ready.

    The second value is the number of alarms without that stamp, because no other commit followed theirs.
    """
    due = {account(number, protocol): start_us + at for number, at in enumerate(due_us(terminals, within_s))}
    with Archive(state_dir) as archive:
        found = list(history.stream(archive, history.signals(priorities=[Priority.LIFE])))
    waits = sorted((one.ready_us - due[one.signal.id.account]) / 1e6 for one in found if one.ready_us is not None)
    return waits, len(found) - len(waits)


def _print(results: Sequence[dict[str, Any]], out: Console) -> None:
    table = Table("return storm", *(result["load"].split()[-1] for result in results), box=None)
    rows = (
        ("terminals", "{terminals:,}"),
        ("that wanted to dial within", "{within_s:.0f} s"),
        ("reports acknowledged", "{reports:,}"),
        ("reports lost", "{lost:,}"),
        ("connections made again", "{again:,}"),
        ("on the line at a time, at most", "{most_open:,}"),
        ("all settled after", "{seconds:.1f} s"),
        ("LIFE alarms", "{life:,}"),
        ("LIFE, from the wish to dial to ready: p50", "{life_p50_s:.3f} s"),
        ("  p99", "{life_p99_s:.3f} s"),
        ("  max", "{life_max_s:.3f} s"),
        ("  without a stamp", "{life_unstamped:,}"),
        (f"  later than {AIM_S:g} s", "{life_late:,}"),
        ("any report, from the wish to dial to its ACK: p99", "{ack_p99_s:.3f} s"),
        ("of that the load's own: dialled late, p99", "{late_dial_p99_s:.3f} s"),
        ("  max", "{late_dial_max_s:.3f} s"),
        ("processor time: receiver", "{cpu_s:.1f} s"),
        (f"  load ({LOADERS} processes)", "{loaders_cpu_s:.1f} s"),
        ("receiver's memory", "{memory_mib:.0f} MiB"),
    )
    for name, form in rows:
        table.add_row(name, *(form.format(**result) for result in results))
    out.print(table)
    out.print("The load takes processor time from the receiver, unless there are cores for both.")


if __name__ == "__main__":
    main()
