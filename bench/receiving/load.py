"""A load generator that costs less than the receiver: prebuilt frames, one protocol object per connection, no ledger.

It sends DC-09, or Eview's heartbeats (``--protocol eview``).

It runs as a separate process, so that it has the other core. It checks that every answer is an acknowledgement. The
simulator and the chaos run keep ledgers of losses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import TYPE_CHECKING, NamedTuple

import uvloop

from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09.frame import build
from vetlla.simulator.dialects import eview
from vetlla.simulator.dialects.handheld import made_up_imei

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIRST_ACCOUNT = 0x1000
ANSWER_S = 60.0
"""If a connection gets no answer for this time, its frame is lost and the run fails."""


class Shape(NamedTuple):
    """One load."""

    port: int
    connections: int
    frames: int
    code: str
    """Contact ID event ("602"), or "NULL"."""
    key: bytes | None
    each: bool
    """Whether every message has a new connection."""
    rate: float
    """Frames per second in an open loop; 0 means as fast as answers come."""
    protocol: str = "dc09"
    fleet: int = 0
    """Number of accounts, which all report once in random order before any reports again; 0: one per connection."""


def account(number: int, protocol: str = "dc09") -> str:
    """Return the account of one connection."""
    return f"{FIRST_ACCOUNT + number:04X}" if protocol == "dc09" else made_up_imei(number + 1)


def fleet_beats(shape: Shape) -> list[list[bytes]]:
    """Return the frames of each connection: heartbeats (NULL) of a whole fleet."""
    now, order = datetime.now(UTC), random.sample(range(shape.fleet), shape.fleet)
    beats = [
        build("NULL", "0000", AccountId("", "0", account(one)), b"", timestamp=now)
        for one in islice(cycle(order), shape.frames)
    ]
    return [beats[number :: shape.connections] for number in range(shape.connections)]


def frames(shape: Shape, number: int) -> list[bytes]:
    """Return the frames of one connection."""
    if shape.protocol == "eview":
        imei = eview.key(0x01, account(number, "eview").encode())
        keys = imei + eview.key(0x10, bytes((90,)))
        return [eview.frame(index & 0xFFFF, eview.SERVICE, keys) for index in range(shape.frames // shape.connections)]
    who = AccountId("", "0", account(number))
    now = datetime.now(UTC)
    count = shape.frames // shape.connections
    if shape.code == "NULL":
        return [build("NULL", "0000", who, b"", timestamp=now, key=shape.key)] * count
    return [
        build(
            "ADM-CID",
            f"{1 + index % 9999:04}",
            who,
            # The zone differs when a number returns after 9999 reports, so this load has no duplicates.
            f"#{who.account}|1{shape.code} 00 {index // 9999:03}".encode(),
            timestamp=now,
            key=shape.key,
        )
        for index in range(count)
    ]


class Terminal(asyncio.Protocol):
    """One connection. It sends a message, waits for the acknowledgement, and sends the next."""

    def __init__(self, messages: Sequence[bytes], latencies: list[float], done: asyncio.Future[None]) -> None:
        self._messages = messages
        self._latencies = latencies
        self._done = done
        self._next = 0
        self._heard = b""
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's has the interface but not the base
        self.send()

    def send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._messages[self._next])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._heard += data
        is_acknowledged = self.judge(self._heard, self._next - 1)
        if is_acknowledged is None:
            return
        if not is_acknowledged:
            self._done.set_exception(AssertionError(f"no acknowledgement: {self._heard!r}"))
            return
        self._heard = b""
        self._latencies.append(time.perf_counter() - self._sent)
        if self._next < len(self._messages):
            self.send()
        else:
            self._done.set_result(None)

    def judge(self, heard: bytes, number: int) -> bool | None:  # noqa: ARG002 - Eview's answers have one
        """Return True if this acknowledges the message with this number, or None if it is incomplete."""
        return b'ACK"' in heard[:16] if heard.endswith(b"\r") else None

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("hung up before the acknowledgement"))

    def close(self) -> None:
        self._transport.close()


class EviewTerminal(Terminal):
    """One connection of Eview, where every byte of the answer is known."""

    def judge(self, heard: bytes, number: int) -> bool | None:
        """Return True if this is the only right answer, or None if it is incomplete."""
        wanted = eview.answer(number & 0xFFFF)
        return heard == wanted if len(heard) >= len(wanted) else None


TERMINALS = {"dc09": Terminal, "eview": EviewTerminal}


async def _call(shape: Shape, messages: Sequence[bytes], latencies: list[float]) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    kind = TERMINALS[shape.protocol]
    _, terminal = await loop.create_connection(lambda: kind(messages, latencies, done), "127.0.0.1", shape.port)
    try:
        async with asyncio.timeout(ANSWER_S + len(messages) / 50):
            await done
    finally:
        terminal.close()


async def _each(shape: Shape, messages: Sequence[bytes], latencies: list[float]) -> None:
    for message in messages:
        began = time.perf_counter()
        await _call(shape, [message], [])
        latencies.append(time.perf_counter() - began)


async def _paced(shape: Shape, messages: list[list[bytes]], latencies: list[float]) -> None:
    """Send in an open loop: each frame when it is due, even if others are unanswered. Latency counts from due time."""
    loop = asyncio.get_running_loop()
    flat = [sequence[index] for index in range(len(messages[0])) for sequence in messages]
    due: list[float] = []
    done: asyncio.Future[None] = loop.create_future()
    answered = 0

    class Line(asyncio.Protocol):
        def __init__(self, mine: list[int]) -> None:
            self.mine = mine

        def data_received(self, data: bytes) -> None:
            nonlocal answered
            now = time.perf_counter()
            for _ in range(data.count(b"\r")):
                latencies.append(now - due[self.mine.pop(0)])
                answered += 1
            if answered == len(flat):
                done.set_result(None)

    lines = []
    for _ in range(shape.connections):
        mine: list[int] = []
        transport, _line = await loop.create_connection(lambda mine=mine: Line(mine), "127.0.0.1", shape.port)  # type: ignore[misc]
        lines.append((transport, mine))
    start = time.perf_counter()
    for index, frame in enumerate(flat):
        when = start + index / shape.rate
        if (wait := when - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.append(when)
        transport, mine = lines[index % shape.connections]
        mine.append(index)
        transport.write(frame)
    async with asyncio.timeout(ANSWER_S):
        await done


async def _run(shape: Shape) -> dict[str, float]:
    messages = fleet_beats(shape) if shape.fleet else [frames(shape, number) for number in range(shape.connections)]
    latencies: list[float] = []
    speak: Callable[[Shape, Sequence[bytes], list[float]], asyncio.Future[None]] = _each if shape.each else _call  # type: ignore[assignment]
    began = time.perf_counter()
    if shape.rate:
        await _paced(shape, messages, latencies)
    else:
        async with asyncio.TaskGroup() as group:
            for sequence in messages:
                group.create_task(speak(shape, sequence, latencies))  # type: ignore[arg-type]
    seconds = time.perf_counter() - began
    latencies.sort()
    return {
        "frames": len(latencies),
        "per_s": len(latencies) / seconds,
        "p50_ms": latencies[len(latencies) // 2] * 1e3,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1e3,
        "p999_ms": latencies[len(latencies) * 999 // 1000] * 1e3,
        "max_ms": latencies[-1] * 1e3,
    }


def main() -> None:
    """Run one load and print its figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--code", default="602")
    parser.add_argument("--key", type=bytes.fromhex)
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--fleet", type=int, default=0)
    parser.add_argument("--protocol", choices=sorted(TERMINALS), default="dc09")
    shape = Shape(**vars(parser.parse_args()))
    json.dump(uvloop.run(_run(shape)), sys.stdout)


if __name__ == "__main__":
    main()
