"""``make bench``: this receiver and pysiaalarm side by side on the same load, in one run.

    python -m bench [--quick] [--only WORD] [--json FILE]

Each load runs first against one receiver and then against the other, with the generator in a separate process. Then
follow measurements of this receiver alone: its restart, the return of a fleet after an outage, and MQTT.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.receiving import peers
from bench.receiving.mqtt import over_mqtt
from bench.receiving.restart import restart
from bench.receiving.storm import storms
from bench.rig.results import command_line, measured

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One line of the table."""

    name: str
    connections: int
    frames: int
    code: str = "602"
    sealed: bool = False
    each: bool = False
    rate: float = 0.0
    protocol: str = "dc09"
    vetlla_only: str = ""
    """Why pysiaalarm does not get this load, or "" if it does."""


LOADS = (
    Load(name="plain, 50 connections", connections=50, frames=100_000),
    Load(name="plain, 500 connections", connections=500, frames=100_000),
    Load(name="AES-128, 50 connections", connections=50, frames=50_000, sealed=True),
    Load(name="AES-128, 500 connections", connections=500, frames=50_000, sealed=True),
    Load(name="new connection per message, 50 at once", connections=50, frames=20_000, each=True),
    Load(name="pendant alarms, 500 homes", connections=500, frames=50_000, code="101"),
    Load(name="heartbeats (NULL), 500 connections", connections=500, frames=200_000, code="NULL"),
    Load(
        name="heartbeats (Eview), 500 connections",
        connections=500,
        frames=200_000,
        protocol="eview",
        vetlla_only="speaks DC-09 alone",
    ),
    Load(name="one connection, idle receiver", connections=1, frames=2_000),
    Load(
        name="1,000 frames/s, open loop",
        connections=50,
        frames=20_000,
        rate=1_000,
        vetlla_only="reads one segment as one message: loses what is pipelined",
    ),
)
QUICK = 10
"""--quick divides the frames by this number. It only checks that everything runs, and measures nothing."""


def main() -> None:
    """Run the loads and print the table."""
    parser = command_line(__doc__, quick="send a tenth of the frames")
    parser.add_argument("--only", default="", help="run only loads whose name contains this word")
    options = parser.parse_args()
    measured(options.json, lambda out: _all(out, options.only, quick=options.quick))


def _all(out: Console, only: str, *, quick: bool) -> list[dict[str, Any]]:
    divisor = QUICK if quick else 1
    results = [_measure(load, out, quick=quick) for load in LOADS if only in load.name]
    if results:
        _print(results, out)
    if only in "restart":
        results.append(restart(100_000 if quick else 10_000_000, out))
    if only in "return storm":
        results += storms(out, quick=divisor)
    return results + over_mqtt(out, quick=divisor, only=only)


def _measure(load: Load, out: Console, *, quick: bool) -> dict[str, Any]:
    frames = max(load.connections, load.frames // QUICK) if quick else load.frames
    result: dict[str, Any] = {"load": load.name}
    for name in ("vetlla", "pysiaalarm"):
        if name == "pysiaalarm" and load.vetlla_only:
            continue
        key = peers.make_key() if load.sealed else None
        with _peer(name, load, key) as peer, out.status(f"{load.name}: {name}"):
            before = peer.cpu_s()
            figures = _drive(load, peer.port, frames, key)
            figures["cpu_us"] = (peer.cpu_s() - before) / figures["frames"] * 1e6
            figures["memory_mib"] = peer.memory_mib()
        result[name] = figures
    return result


def _peer(name: str, load: Load, key: bytes | None) -> AbstractContextManager[peers.Peer]:
    if name == "vetlla":
        return peers.vetlla(load.connections, key, protocol=load.protocol)
    return peers.pysiaalarm(load.connections, key)


def _drive(load: Load, port: int, frames: int, key: bytes | None) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.receiving.load", str(port), "--connections", str(load.connections)]
    command += ["--frames", str(frames), "--code", load.code, "--rate", str(load.rate)]
    command += ["--protocol", load.protocol]
    command += ["--key", key.hex()] if key else []
    command += ["--each"] if load.each else []
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return figures


def _print(results: list[dict[str, Any]], out: Console) -> None:
    table = Table("load", "receiver", "acknowledged/s", "p50 ms", "p99 ms", "max ms", "CPU us/frame", "MiB", box=None)
    for result in results:
        for name in ("vetlla", "pysiaalarm"):
            if figures := result.get(name):
                table.add_row(
                    result["load"],
                    name,
                    f"{figures['per_s']:,.0f}",
                    f"{figures['p50_ms']:.2f}",
                    f"{figures['p99_ms']:.2f}",
                    f"{figures['max_ms']:.1f}",
                    f"{figures['cpu_us']:.0f}",
                    f"{figures['memory_mib']:.0f}",
                )
    out.print(table)
    out.print("vetlla syncs every frame except heartbeats to disk before its ACK. pysiaalarm stores nothing.")


if __name__ == "__main__":
    main()
