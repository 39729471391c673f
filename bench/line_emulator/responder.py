"""The smallest program that a line receiver can talk to: it stores whole frames, drops repetitions, and answers ACK.

    python -m bench.line_emulator.responder (--serial DEVICE | --connect PORT | --listen PORT) TABLE [--wrong HOW]

It reads Contact ID of Sur-Gard with one character for the line and DC4 as the end. When the device is gone, or at
SIGTERM, it writes the table for the judge. With ``--wrong`` it makes one of the mistakes that the judge has to find.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import re
import signal
import socket
import time
import tty
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTACT_ID = re.compile(rb"5(\d\d)(\d) 18(\d{4})([ERP]\d{3})(\d\d)(\d{3})")
WITHOUT_END = re.compile(rb"5\d\d\d 18\d{4}[ERP]\d{8}|1011 {11}@ {4}")
READY_S = 10.0
"""Longest wait for the device, in seconds."""
FRAME_BYTES = 20
HEARTBEAT = b"1011           @    "
ACK, NAK = b"\x06", b"\x15"
WRONG = ("stores-repetitions", "forgets-some", "swallows-second-calls", "acknowledges-damage", "only-nak", "silent")
COLUMNS = ("receiver", "line", "account", "code", "area", "zone", "frame")


class Program:
    """What is stored, and what is answered to a frame."""

    def __init__(self, wrong: str) -> None:
        self.stored: list[bytes] = []
        self._wrong = wrong
        self._last = b""
        self._seen: set[bytes] = set()
        self._rng = Random(1)
        self._silent_until = 0.0

    def answer(self, data: bytes) -> bytes:
        """Store what ends with a frame unless it is a repetition, and return the answer."""
        if self._wrong == "silent" and self._rng.random() < 0.001:
            self._silent_until = time.monotonic() + 1.0
        if time.monotonic() < self._silent_until:
            return b""
        frame = data[-FRAME_BYTES:]
        if frame == HEARTBEAT:
            return ACK
        if not CONTACT_ID.fullmatch(frame):
            return ACK if self._wrong == "acknowledges-damage" else NAK
        if self._wrong == "only-nak":
            return NAK
        again = frame == self._last or (self._wrong == "swallows-second-calls" and frame in self._seen)
        forgotten = self._wrong == "forgets-some" and self._rng.random() < 0.01
        if (not again or self._wrong == "stores-repetitions") and not forgotten:
            self.stored.append(frame)
        self._last = frame
        self._seen.add(frame)
        return ACK

    def read(self, path: Path) -> None:
        """Read what an earlier run stored."""
        with path.open(encoding="utf-8", newline="") as file:
            self.stored = [bytes.fromhex(row["frame"]) for row in csv.DictReader(file)]
        self._last = self.stored[-1] if self.stored else b""

    def write(self, path: Path) -> None:
        """Write the table for the judge."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for text in self.stored:
                if found := CONTACT_ID.fullmatch(text):
                    writer.writerow([*(one.decode() for one in found.groups()), text.hex()])


def _descriptors(options: argparse.Namespace) -> Iterator[int]:
    """Yield the serial device once, or a connection after each other."""
    if options.serial:
        until = time.monotonic() + READY_S
        while not options.serial.exists() and time.monotonic() < until:
            time.sleep(0.01)
        descriptor = os.open(options.serial, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(descriptor)
        yield descriptor
        return
    server = socket.create_server(("127.0.0.1", options.listen)) if options.listen else None
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            connection = server.accept()[0] if server else socket.create_connection(("127.0.0.1", options.connect))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                yield connection.fileno()
        time.sleep(0.05)


def main() -> None:
    """Answer until the other end closes."""
    parser = argparse.ArgumentParser(prog="python -m bench.line_emulator.responder", description=__doc__)
    parser.add_argument("--serial", type=Path)
    parser.add_argument("--connect", type=int)
    parser.add_argument("--listen", type=int)
    parser.add_argument("--b32", action="store_true", help="answer behind a B32 header")
    parser.add_argument("--no-end", action="store_true", help="frames have no end mark")
    parser.add_argument("table", type=Path)
    parser.add_argument("--wrong", choices=WRONG, default="")
    options = parser.parse_args()
    program = Program(options.wrong)
    if options.table.exists():
        program.read(options.table)
    signal.signal(signal.SIGTERM, _stop)
    with contextlib.suppress(EOFError):
        for descriptor in _descriptors(options):
            with contextlib.suppress(OSError):
                _serve(descriptor, program, b32=options.b32, no_end=options.no_end)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    program.write(options.table)


def _stop(*_: object) -> None:
    raise EOFError


def _serve(descriptor: int, program: Program, *, b32: bool, no_end: bool) -> None:
    rest = b""
    while data := os.read(descriptor, 4096):
        if no_end:
            frames = WITHOUT_END.findall(rest + data)
            rest = WITHOUT_END.split(rest + data)[-1]
        else:
            *frames, rest = (rest + data).split(b"\x14")
        answers = map(program.answer, frames)
        os.write(descriptor, b"".join(b"\x00\x00\x00\x05" + one if b32 and one else one for one in answers))


if __name__ == "__main__":
    main()
