"""The rate at which one receiver takes messages from an MQTT broker: heartbeats, and events with their receipts.

    python -m bench.receiving.mqtt [--quick] [--only WORD] [--json FILE]

The broker is a real Mosquitto. One process of paho clients (mqtt_load.py) publishes heartbeats as fast as the broker
acknowledges, and events as fast as receipts come. The receiver has a core of its own; broker and load share the others.
The receiver counts the messages (``vetlla status --json``), and the time ends when it has all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.table import Table

from bench.receiving.mqtt_load import terminal
from bench.receiving.peers import READY_S, Peer, ended
from bench.rig.broker import Broker, NoBrokerError
from bench.rig.results import command_line, measured
from vetlla.cli.kit.control import ask
from vetlla.receiver.control.messages.receiver import ShowStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

TERMINALS = 1_000
CONNECTIONS = 8
STALLED_S = 60.0
"""A receiver that takes nothing for this time has stalled."""
LOOK_S = 0.05
EVERY_S = 900
"""Interval of each UCR in seconds."""
BUSY = 0.9
"""A process that uses this share of its core is the bottleneck."""
CONFIG = """
http = {{ enabled = false }}
[[mqtt]]
host = "127.0.0.1"
port = {port}
node = "bench"
retry_max_s = 0.5
"""


class Load(NamedTuple):
    """One line of the table."""

    name: str
    kind: str
    messages: int


LOADS = (
    Load("MQTT heartbeats of terminals", "hb", 100_000),
    Load("MQTT presence of UCRs", "presence", 100_000),
    Load("MQTT events with receipts", "event", 50_000),
)


def main() -> None:
    """Run the loads and print the table."""
    parser = command_line(__doc__, quick="send a tenth of the messages", prog="bench.receiving.mqtt")
    parser.add_argument("--only", default="", help="run only loads whose name contains this word")
    options = parser.parse_args()
    measured(options.json, lambda out: over_mqtt(out, quick=10 if options.quick else 1, only=options.only))


def over_mqtt(out: Console, *, quick: int = 1, only: str = "") -> list[dict[str, Any]]:
    """Measure each load and print the table. ``quick`` divides the messages. Returns no results without Mosquitto."""
    results = []
    try:
        for load in LOADS:
            if only in load.name:
                with out.status(load.name):
                    results.append(_measure(load, load.messages // quick))
    except NoBrokerError as error:
        out.print(f"MQTT is not measured: {error}")
    if results:
        _print(results, out)
    return results


def _measure(load: Load, messages: int) -> dict[str, Any]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vetlla-mqtt-")))
        broker = Broker(directory / "broker").start()
        stack.callback(broker.kill)
        peer = stack.enter_context(_receiver(directory, broker.port))
        if load.kind == "presence":
            _introduce(directory, broker.port)
        loader = _loader(broker.port, load.kind, messages)
        stack.callback(loader.wait)
        stack.callback(loader.kill)
        mine, others = _cores()
        for process, cores in ((peer.process, mine), (broker.process, others), (loader, others)):
            _pin(process.pid, cores)
        assert loader.stdin
        assert loader.stdout
        assert loader.stdout.readline() == "ready\n"
        server = Peer("mosquitto", broker.port, broker.process)
        before, cpu, cpu_of_broker = _counted(directory, load.kind), peer.cpu_s(), server.cpu_s()
        began = time.perf_counter()
        loader.stdin.write("\n")
        loader.stdin.flush()
        _await(directory, load.kind, before + messages)
        seconds = time.perf_counter() - began
        cpu, cpu_of_broker = peer.cpu_s() - cpu, server.cpu_s() - cpu_of_broker
        told = json.loads(loader.communicate(timeout=READY_S)[0])
        shares = {"receiver": cpu / seconds, "broker": cpu_of_broker / seconds, "load": told["cpu_s"] / seconds}
        return {
            "load": load.name,
            "messages": messages,
            "per_s": messages / seconds,
            "cpu_us": cpu / messages * 1e6,
            "p50_ms": told["p50_ms"],
            "p99_ms": told["p99_ms"],
            "published_per_s": messages / told["seconds"],
            **{f"{name}_share": share for name, share in shares.items()},
            "bottleneck": _bottleneck(shares),
            "memory_mib": peer.memory_mib(),
        }


@contextmanager
def _receiver(directory: Path, port: int) -> Iterator[Peer]:
    """Run a receiver that has the terminals registered and is connected to the broker."""
    state, config, command = directory / "state", directory / "bench.toml", [sys.executable, "-m", "vetlla"]
    config.write_text(CONFIG.format(port=port), encoding="utf-8")
    # The receiver supervises UCRs only if their terminal's account has an interval for them.
    rows = "".join(f"{terminal(number)},H{number:05},{EVERY_S}\n" for number in range(TERMINALS))
    subprocess.run(
        [*command, "accounts", "import", "-", "--format", "csv", "--state-dir", state],
        input=f"account,home,ucr_interval_s\n{rows}".encode(),
        check=True,
        capture_output=True,
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([*command, "receiver", "--config", config, "--state-dir", state], stderr=log)
    with ended(process):
        subprocess.run(
            [*command, "status", "--wait", str(READY_S), "--state-dir", state], check=True, capture_output=True
        )
        deadline = time.monotonic() + READY_S
        while not all(place.get("connected", True) for place in ask(state, ShowStatus())["listening"]):
            if time.monotonic() > deadline:
                raise TimeoutError((directory / "log").read_text(encoding="utf-8"))
            time.sleep(LOOK_S)
        yield Peer("vetlla", port, process)


def _loader(port: int, kind: str, messages: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.receiving.mqtt_load", str(port)]
    command += ["--kind", kind, "--messages", str(messages)]
    command += ["--terminals", str(TERMINALS), "--connections", str(CONNECTIONS)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _introduce(directory: Path, port: int) -> None:
    """Send the presence of each UCR once, because its first presence is a report that is synced to disk."""
    with _loader(port, "presence", TERMINALS) as first:
        first.communicate("\n", timeout=READY_S)
    _await(directory, "event", TERMINALS)


def _cores() -> tuple[set[int], set[int]]:
    """Return the receiver's core and those of the other processes. With a single core both are the same."""
    first, *rest = sorted(os.sched_getaffinity(0))
    return {first}, set(rest) or {first}


def _pin(pid: int, cores: set[int]) -> None:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def _counted(directory: Path, kind: str) -> int:
    counts = ask(directory / "state", ShowStatus(), timeout_s=READY_S)["counts"]
    return counts["signals" if kind == "event" else "heartbeats"]


def _await(directory: Path, kind: str, wanted: int) -> None:
    """Wait until the receiver has counted ``wanted`` messages. Raises TimeoutError if it stalls."""
    seen, since = -1, time.monotonic()
    while (counted := _counted(directory, kind)) < wanted:
        if counted > seen:
            seen, since = counted, time.monotonic()
        elif time.monotonic() > since + STALLED_S:
            raise TimeoutError(f"the receiver took only {counted:,} of {wanted:,} messages")
        time.sleep(LOOK_S)


def _bottleneck(shares: dict[str, float]) -> str:
    """Return the process that has no processor time left. Broker and load share the cores beside the receiver's."""
    if shares["receiver"] >= BUSY:
        return "receiver"
    if shares["broker"] + shares["load"] >= BUSY:
        return "broker" if shares["broker"] > shares["load"] else "load"
    return "none: waits"


def _print(results: Sequence[dict[str, Any]], out: Console) -> None:
    shares = ("receiver", "broker", "load")
    table = Table("load", "taken/s", "CPU us/message", "p50 ms", "p99 ms", *shares, "bottleneck", "MiB", box=None)
    for result in results:
        waits = ("" if result[name] is None else f"{result[name]:.1f}" for name in ("p50_ms", "p99_ms"))
        table.add_row(
            result["load"],
            f"{result['per_s']:,.0f}",
            f"{result['cpu_us']:.0f}",
            *waits,
            *(f"{result[f'{name}_share']:.0%}" for name in shares),
            result["bottleneck"],
            f"{result['memory_mib']:.0f}",
        )
    out.print(table)
    out.print("A share of 100 % is one core. Broker and load run on other cores than the receiver, if there are any.")
    out.print("The receiver syncs events to disk.")


if __name__ == "__main__":
    main()
