"""What a simulator does later, on a clock that tests and demonstrations may move."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US, to_datetime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from vetlla.domain.clock import Clock

LOOK_S: Final = 0.2
"""Longest time between two looks at the clock, because a moved clock notifies no waiter."""


class Agenda:
    """Jobs with their times. Two jobs of one time are done in the order in which they were noted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[tuple[int, int, Callable[[], Awaitable[None]]]] = []
        self._numbers = count()
        self._noted = asyncio.Event()

    @property
    def now(self) -> datetime:
        """The time of the clock, in UTC."""
        return to_datetime(self.now_us)

    @property
    def now_us(self) -> int:
        """The time of the clock in microseconds since 1970."""
        return self._clock.now().utc_us

    def later(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        """Note a job."""
        heapq.heappush(self._jobs, (self.now_us + round(seconds * SECOND_US), next(self._numbers), job))
        self._noted.set()

    def soon(self, job: Callable[[], Awaitable[None]]) -> None:
        """Note a job that is due at once."""
        self.later(0, job)

    async def settle(self) -> int:
        """Do all that is due, and what becomes due by it. Return how many jobs were done."""
        done = 0
        while self._jobs and self._jobs[0][0] <= self.now_us:
            _, _, job = heapq.heappop(self._jobs)
            await job()
            done += 1
        return done

    async def work(self) -> None:
        """Do each job when it is due, until the task is cancelled."""
        while True:
            await self.settle()
            self._noted.clear()
            left_s = (self._jobs[0][0] - self.now_us) / SECOND_US if self._jobs else LOOK_S
            try:
                async with asyncio.timeout(min(max(left_s, 0.0), LOOK_S)):
                    await self._noted.wait()
            except TimeoutError:
                continue
