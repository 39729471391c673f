"""Lets sinks read the journal without waiting in the event loop: one thread reads for all of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vetlla.domain.onward import Backlog, Onward
    from vetlla.store.ports import OutboxReader


class Reading:
    """The journal's outbox, for the event loop. Every method raises what the outbox raises: StoreError."""

    def __init__(self, outbox: OutboxReader) -> None:
        self._outbox = outbox
        # One thread, because the connection of SQLite stays in the thread that made it.
        self._thread = ThreadPoolExecutor(1, "outbox")

    async def after(self, position: int, upto: int, limit: int) -> list[Onward]:
        """Return the first ``limit`` signals above a number, up to another one, in order."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._outbox.after, position, upto, limit)

    async def backlog(self, position: int, upto: int) -> Backlog:
        """Return how many signals are above a number, up to another one, and when the first was received."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._outbox.backlog, position, upto)

    async def numbers(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        """Return the numbers of the first and the last signal received in a time."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._outbox.numbers, since_us, until_us)

    async def close(self) -> None:
        """Close the journal's file, after the read under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._outbox.close)
        self._thread.shutdown(wait=False)
