"""Runs a tap on a line until a person or the time ends it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import uvloop

from vetlla.cli.kit.lines import teller_of_failures
from vetlla.cli.kit.output import talk
from vetlla.domain.clock import SystemClock
from vetlla.links.wire.tapping import Tap
from vetlla.links.wire.way import Accept, kept_open
from vetlla.protocols.captures.recording import Chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.links.wire.way import Way


def tapped(
    near: Way,
    far: Way | None,
    taken: Callable[[Chunk], bool],
    *,
    seconds: float | None,
    answer: Callable[[bytes], bytes] = lambda _data: b"",
) -> bool:
    """Tap a line until ``taken`` returns False for a chunk, the time is over, or a signal comes.

    Returns True if a signal ended it. Raises LinkError if a port to accept on cannot be used.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_tapped(near, far, taken, seconds, answer))


async def _tapped(
    near: Way,
    far: Way | None,
    taken: Callable[[Chunk], bool],
    seconds: float | None,
    answer: Callable[[bytes], bytes],
) -> bool:
    over, stopped = asyncio.Event(), asyncio.Event()
    clock = SystemClock()
    failed = teller_of_failures()

    def stop() -> None:
        stopped.set()
        over.set()

    def seen(data: bytes, is_answer: bool) -> None:
        if not over.is_set() and not taken(Chunk(clock.now().utc_us, data, is_answer)):
            over.set()

    def opened(address: str) -> None:
        talk().print(f"{address} is open", soft_wrap=True, markup=False)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    tap = Tap(seen, opened, answer)
    async with AsyncExitStack() as open_lines:
        for way, user in ((far, tap.far), (near, tap.near)):
            if way is None:
                continue
            host, port = await open_lines.enter_async_context(kept_open(way, user, failed))
            if isinstance(way, Accept):
                talk().print(f"waiting for a connection on {host}:{port}", soft_wrap=True, markup=False)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
    return stopped.is_set()
