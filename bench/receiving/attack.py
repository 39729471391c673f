"""One registered home during a flood of strangers: its alarm must be first in the queue within a second.

    python -m bench.receiving.attack [--only WORD] [--presses 10] [--json FILE]

Each attack is a separate process that runs while the home presses. The home presses every half second on a new
connection, after an operator has closed its last alarm. The measured time is from the wish to press until the alarm is
first in the operators' queue. The exit status is 1 if a press took longer than a second, or another alarm was first.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.killing.receiver import Receiver, free_port
from bench.rig.machine import describe
from vetlla.cli.kit.control import ask
from vetlla.domain.alarms import AlarmOutcome
from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09.frame import build
from vetlla.receiver.control.messages.queue import AnswerAlarm, CloseAlarm, ListAlarms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOME = AccountId("", "0", "1234")
READY_S = 1.0
"""Longest time from a press until its alarm is first."""
PAUSE_S = 0.5
CONNECTIONS = 1_500
"""The receiver's limit of connections here. The attack ``silent`` tries to hold more."""
CONFIG = f"""
[limits]
connections = {CONNECTIONS}
connections_per_peer = 500
"""


def events(port: int) -> None:
    """Send datagrams of 4 kB with 1,300 events each, 2 MB a second."""
    data = b"#9999|N" + b"/".join([b"PA"] * 1_300)
    with socket.socket(type=socket.SOCK_DGRAM) as wire:
        for number in itertools.count():
            frame = build("SIA-DCS", f"{1 + number % 9999:04}", AccountId("", "0", "9999"), data)
            wire.sendto(frame, ("127.0.0.1", port))
            time.sleep(0.002)


def junk(port: int) -> None:
    """Send bytes that look like beginnings of frames, 256 kB a second, on one connection after the other."""
    piece = b'\nFFFF0FFF"' * 1_600
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as wire:
            while True:
                wire.sendall(piece)
                time.sleep(len(piece) / (256 << 10))


def crowd(port: int) -> None:
    """Send 16 kB like beginnings of frames on each of 900 connections of nine addresses at once, again and again."""
    piece = b'\n00000000"' * 1_600
    while True:
        wires = []
        for number in range(900):
            with suppress(OSError):
                wire = socket.socket()
                wire.bind((f"127.3.0.{1 + number % 9}", 0))
                wire.connect(("127.0.0.1", port))
                wire.setblocking(False)  # noqa: FBT003 - socket's own
                wires.append(wire)
        for wire in wires:
            with suppress(OSError):
                wire.send(piece)
        time.sleep(PAUSE_S)
        for wire in wires:
            wire.close()


def noise(port: int) -> None:
    """Send datagrams of 8 kB that look like beginnings of frames, 2 MB a second."""
    data = b'\n00000000"' * 800
    with socket.socket(type=socket.SOCK_DGRAM) as wire:
        while True:
            wire.sendto(data, ("127.0.0.1", port))
            time.sleep(0.004)


def strangers(port: int) -> None:
    """Send presses from 200 addresses as fast as answers come, each with another account."""
    wires = []
    for host in range(200):
        wire = socket.socket()
        wire.bind((f"127.1.{host}.1", 0))
        wire.connect(("127.0.0.1", port))
        wires.append(wire)
    for number in itertools.count():
        wire = wires[number % len(wires)]
        with suppress(OSError):
            who = AccountId("", "0", f"{number:08X}")
            wire.sendall(build("ADM-CID", "0001", who, f"#{who.account}|1101 00 001".encode()))
            if number >= len(wires):
                wire.recv(4096)


def impostors(port: int) -> None:
    """Report in the home's name with a wrong key, each time with another receiver and line."""
    key, now = random.randbytes(16), datetime.now(UTC)
    with socket.socket(type=socket.SOCK_DGRAM) as wire:
        for number in itertools.count():
            who = AccountId(f"{number & 0xFFFFFF:X}", f"{number & 0xFFF:X}", HOME.account)
            frame = build("ADM-CID", "0001", who, b"#1234|1602 00 000", timestamp=now, key=key)
            wire.sendto(frame, ("127.0.0.1", port))
            time.sleep(0.0005)


def silent(port: int) -> None:
    """Hold silent connections from six addresses, more than the receiver may have."""
    wires: list[socket.socket] = []
    for number in itertools.count():
        with suppress(OSError):
            wire = socket.socket()
            wire.settimeout(1)
            wire.bind((f"127.2.0.{1 + number % 6}", 0))
            wire.connect(("127.0.0.1", port))
            wires.append(wire)
        if len(wires) > 2 * CONNECTIONS:
            wires.pop(0).close()
        time.sleep(0.001)


def datagrams(port: int) -> None:
    """Send datagrams with 68 frames each, as an attacker with a forged source address would."""
    frames = b"".join(
        build("ADM-CID", f"{number:04}", AccountId("", "0", "9"), b"#9|1602 00 000") for number in range(1, 69)
    )
    with socket.socket(type=socket.SOCK_DGRAM) as wire:
        while True:
            wire.sendto(frames, ("127.0.0.1", port))
            time.sleep(0.005)


ATTACKS: tuple[Callable[[int], None], ...] = (
    events, junk, crowd, noise, strangers, impostors, silent, datagrams,
)  # fmt: skip


class Outcome(NamedTuple):
    """The result of one attack."""

    attack: str
    presses: int
    first: int
    """Presses whose alarm was first in the queue."""
    slowest_s: float
    alarms: int
    journal_mib: float
    memory_mib: float

    @property
    def holds(self) -> bool:
        """Return True if each press was first in the queue in time."""
        return self.first == self.presses and self.slowest_s <= READY_S


def main() -> int:
    """Run the attacks, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run only attacks whose name contains this word")
    parser.add_argument("--presses", type=int, default=10, help="number of presses of the home during each attack")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    out = Console()
    out.print(str(describe()), highlight=False)
    outcomes = []
    for attack in ATTACKS:
        if options.only in attack.__name__:
            with out.status(attack.__name__):
                outcomes.append(_under(attack, options.presses))
    table = Table("attack", "presses", "first", "slowest s", "open alarms", "journal MiB", "memory MiB", box=None)
    for one in outcomes:
        table.add_row(
            one.attack,
            f"{one.presses}",
            f"{one.first}",
            f"{one.slowest_s:.2f}",
            f"{one.alarms}",
            f"{one.journal_mib:.1f}",
            f"{one.memory_mib:.0f}",
        )
    out.print(table)
    if options.json:
        options.json.write_text(json.dumps([one._asdict() for one in outcomes], indent=1), encoding="utf-8")
    return 0 if all(one.holds for one in outcomes) else 1


def _under(attack: Callable[[int], None], presses: int) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="vetlla-attack-") as temporary:
        port = free_port()
        receiver = Receiver(Path(temporary), "--listen", f"dc09=127.0.0.1:{port}", config=CONFIG)
        receiver.register(f"account,home\n{HOME.account},H-1\n")
        receiver.start()
        receiver.await_ready()
        try:
            with _running(attack, port):
                time.sleep(2)
                pressed = [_press(receiver.state_dir, port, number) for number in range(1, presses + 1)]
                total = ask(receiver.state_dir, ListAlarms(count=True))["total"]
                memory_mib = receiver.memory_mib()
        finally:
            receiver.kill()
        size = sum(file.stat().st_size for file in receiver.state_dir.glob("journal.db*"))
    return Outcome(
        attack=attack.__name__,
        presses=presses,
        first=sum(is_first for is_first, _ in pressed),
        slowest_s=max(took_s for _, took_s in pressed),
        alarms=total,
        journal_mib=size / (1 << 20),
        memory_mib=memory_mib,
    )


@contextmanager
def _running(attack: Callable[[int], None], port: int) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=attack, args=(port,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _press(state_dir: Path, port: int, number: int) -> tuple[bool, float]:
    """Press once. Return whether the alarm was first, and the seconds until operators saw it."""
    began = time.perf_counter()
    frame = build("ADM-CID", f"{number:04}", HOME, b"#1234|1101 00 001")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(frame)
        acknowledged = b"ACK" in wire.recv(4096)
    listed = ask(state_dir, ListAlarms(limit=1))["alarms"]
    took_s = time.perf_counter() - began
    is_ours = bool(listed) and listed[0]["account"] == HOME.account and not listed[0]["unknown_account"]
    is_first = acknowledged and is_ours
    if is_first:
        ask(state_dir, AnswerAlarm(alarm=listed[0]["id"]))
        ask(state_dir, CloseAlarm(alarm=listed[0]["id"], outcome=AlarmOutcome.TEST))
    time.sleep(PAUSE_S)
    return is_first, took_s


if __name__ == "__main__":
    sys.exit(main())
