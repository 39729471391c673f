"""A part of the fleet that returns in ``storm.py``: prebuilt frames, and one protocol object for each terminal.

A terminal dials when it is due and sends the reports of its backlog, each after the one before was acknowledged. Then
it hangs up. If its line breaks it dials again. The load uses many loopback addresses, because one has too few ports.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import socket
import sys
import time
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import uvloop

from bench.receiving.load import account
from vetlla.domain.accounts import Account
from vetlla.simulator.dialects.dialect import Meaning
from vetlla.simulator.dialects.registry import find
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.simulator.dialects.dialect import Dialect, Terminal
    from vetlla.simulator.message import Message

SEED = 1
BACKLOG = 3
"""Number of reports that each terminal has to send."""
MIX = Mix(alarms=2, technical=3, tests=55, heartbeats=40)
"""One report in fifty is an alarm: about a hundred a second among five thousand others."""
AGE_S = 300.0
"""Age of the reported events, as after an outage of some minutes."""
SOURCES = 32
"""127.0.0.1 to 127.0.0.32. The receiver allows 1,000 connections of one address, which has 28,000 ports a minute."""
REDIAL_S = 1.0
ATTEMPTS = 5
ANSWER_S = 120.0
"""A terminal without an answer for this time gives up the line."""
FILES_USED = 0.75
"""Share of this process's allowed descriptors that connections use. A closed one becomes free a moment later."""
IP_BIND_ADDRESS_NO_PORT = 24
"""From linux/in.h: the kernel chooses the port at dialling, so that peers share ports (Python has it since 3.12)."""


class Figures:
    """The counts of one process, and its times in seconds."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.again = 0
        self.open = 0
        self.most_open = 0
        """Largest number of terminals on the line at the same time."""
        self.late: list[float] = []
        """Times between due and dialling, which the load itself causes."""
        self.acks: list[float] = []
        """Times between due and acknowledged."""


class Return(NamedTuple):
    """The return of one terminal."""

    due: float
    """Monotonic time in seconds."""
    source: str
    terminal: Terminal
    backlog: Sequence[Message]


class Line(asyncio.Protocol):
    """One connection. It sends the reports that are left of the backlog."""

    def __init__(self, returning: Return, told: int, dialect: Dialect, figures: Figures) -> None:
        self.told = told
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._returning = returning
        self._cut = dialect.cut
        self._figures = figures
        self._pending = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's has the interface but not the base
        self._transport.write(self._returning.backlog[self.told].frame)

    def data_received(self, data: bytes) -> None:
        answers, self._pending = self._cut(self._pending + data)
        for answer in answers:
            message = self._returning.backlog[self.told]
            if self._returning.terminal.understand(answer, [message]).meaning is not Meaning.ACKNOWLEDGED:
                self._end(AssertionError(f"no acknowledgement: {answer!r}"))
                return
            self._figures.acknowledged += 1
            self._figures.acks.append(time.monotonic() - self._returning.due)
            self.told += 1
            if self.told == len(self._returning.backlog):
                self._end(None)
                return
            self._transport.write(self._returning.backlog[self.told].frame)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error or ConnectionResetError())

    def _end(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


def due_us(terminals: int, within_s: float) -> list[int]:
    """Return when each terminal of the fleet wants to dial, in microseconds from the start. It is always the same."""
    random = Random(SEED)
    return [round(random.uniform(0, within_s * 1e6)) for _ in range(terminals)]


async def _come_back(returning: Return, port: int, dialect: Dialect, figures: Figures, room: asyncio.Semaphore) -> None:
    loop = asyncio.get_running_loop()
    told = 0
    for attempt in range(ATTEMPTS):
        if attempt:
            figures.again += 1
            await asyncio.sleep(REDIAL_S)
        async with room:
            if not attempt:
                figures.late.append(time.monotonic() - returning.due)
                figures.most_open = max(figures.most_open, figures.open)
            figures.open += 1
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            line = None
            try:
                sock.setblocking(False)  # noqa: FBT003 - the library's
                sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                sock.bind((returning.source, 0))
                await loop.sock_connect(sock, ("127.0.0.1", port))
                transport, line = await loop.create_connection(
                    lambda told=told: Line(returning, told, dialect, figures),  # type: ignore[misc]
                    sock=sock,
                )
                try:
                    async with asyncio.timeout(ANSWER_S):
                        await line.done
                finally:
                    transport.close()
            except OSError:
                told = line.told if line else told
                sock.close()
            else:
                return
            finally:
                figures.open -= 1


async def _run(returns: Sequence[Return], port: int, dialect: Dialect) -> Figures:
    figures = Figures()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = asyncio.Semaphore(round(hard * FILES_USED))
    async with asyncio.TaskGroup() as group:
        for returning in returns:
            wait = returning.due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            group.create_task(_come_back(returning, port, dialect, figures, room))
    return figures


def _fleet(options: argparse.Namespace, dialect: Dialect) -> list[tuple[int, str, Terminal, list[Message]]]:
    """Return this part of the fleet with all its frames, in the order in which the terminals are due."""
    fleet = []
    for number, at_us in enumerate(due_us(options.terminals, options.within)):
        if number % options.parts != options.part:
            continue
        who = Account(account=account(number, options.protocol))
        terminal = dialect.make(who, None, MIX, Random(f"{SEED}/{number}"), 0.0)
        backlog = [terminal.next(numbered=True, age_s=AGE_S) for _ in range(BACKLOG)]
        fleet.append((at_us, f"127.0.0.{1 + number % SOURCES}", terminal, backlog))
    fleet.sort(key=lambda entry: entry[0])
    return fleet


def main() -> None:
    """Build the frames, print ``ready``, read the start time, run the return, and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--protocol", default="dc09")
    parser.add_argument("--terminals", type=int, default=100_000)
    parser.add_argument("--within", type=float, default=60.0)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    dialect = find(options.protocol)
    fleet = _fleet(options, dialect)
    print("ready", flush=True)
    start = time.monotonic() + int(sys.stdin.readline()) / 1e6 - time.time()
    returns = [Return(start + at_us / 1e6, source, terminal, told) for at_us, source, terminal, told in fleet]
    cpu_s = time.process_time()
    figures = uvloop.run(_run(returns, options.port, dialect))
    late, acks = sorted(figures.late), sorted(figures.acks)
    said = {
        "acknowledged": figures.acknowledged,
        "again": figures.again,
        "most_open": figures.most_open,
        "seconds": time.monotonic() - start,
        "ack_p99_s": acks[len(acks) * 99 // 100],
        "late_p99_s": late[len(late) * 99 // 100],
        "late_max_s": late[-1],
        "cpu_s": time.process_time() - cpu_s,
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
