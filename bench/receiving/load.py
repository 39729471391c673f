"""A load generator leaner than what it measures: prebuilt frames, one protocol object per connection, no ledger.

DC-09, or Eview's heartbeats (``--protocol eview``).

Run as a process of its own, so that it has the other core. Checks of every answer that it acknowledges (token and
sequence); the ledger of losses is the simulator's and the chaos run's business.
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
"""A connection that hears nothing for so long has lost its frame: the run fails."""


class Shape(NamedTuple):
    """One load."""

    port: int
    connections: int
    frames: int
    code: str
    """Contact ID event ("602"), or "NULL"."""
    key: bytes | None
    each: bool
    """A new connection for every message."""
    rate: float
    """Frames per second, open loop; 0: as fast as answers come."""
    protocol: str = "dc09"
    fleet: int = 0
    """From so many accounts in no order, each once before any speaks again; 0: an account for each connection."""


def account(number: int, protocol: str = "dc09") -> str:
    """Return the account of one connection."""
    return f"{FIRST_ACCOUNT + number:04X}" if protocol == "dc09" else made_up_imei(number + 1)


def fleet_beats(shape: Shape) -> list[list[bytes]]:
    """Return what each connection sends: heartbeats (NULL) of a whole fleet."""
    now, order = datetime.now(UTC), random.sample(range(shape.fleet), shape.fleet)
    beats = [
        build("NULL", "0000", AccountId("", "0", account(one)), b"", timestamp=now)
        for one in islice(cycle(order), shape.frames)
    ]
    return [beats[number :: shape.connections] for number in range(shape.connections)]


def frames(shape: Shape, number: int) -> list[bytes]:
    """Return what one connection sends."""
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
            # The zone tells apart what shares a number after 9999 reports: no duplicates in this load.
            f"#{who.account}|1{shape.code} 00 {index // 9999:03}".encode(),
            timestamp=now,
            key=shape.key,
        )
        for index in range(count)
    ]


class Terminal(asyncio.Protocol):
    """One connection: sends, waits for the acknowledgement, sends the next."""

    def __init__(self, messages: Sequence[bytes], latencies: list[float], done: asyncio.Future[None]) -> None:
        self._messages = messages
        self._latencies = latencies
        self._done = done
        self._next = 0
        self._heard = b""
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is one in all but its bases
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
        """Say whether this acknowledges the message of a number; None: it is not all there yet."""
        return b'ACK"' in heard[:16] if heard.endswith(b"\r") else None

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("hung up before the acknowledgement"))

    def close(self) -> None:
        self._transport.close()


class EviewTerminal(Terminal):
    """One connection of Eview's: the answer is known to the byte."""

    def judge(self, heard: bytes, number: int) -> bool | None:
        """Compare with the one answer there is."""
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
    """Open loop: frames leave when they are due, whether or not the one before was answered; latency from due time."""
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
        "max_ms": latencies[-1] * 1e3,
    }


def main() -> None:
    """Drive one load and print its figures as JSON."""
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
