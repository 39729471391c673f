"""What befalls a fleet in the middle of a run: the network fails and comes back, some homes fall silent."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from vetlla.simulator.scenario import Outage, Scenario, Silence
    from vetlla.simulator.statistics import Counts
    from vetlla.simulator.subscriber import Subscriber

Tell: TypeAlias = Callable[[str], None]
NAMED = 8
"""Accounts that a sentence names; the report has them all."""


class Story:
    """The events of one run."""

    def __init__(
        self,
        scenario: Scenario,
        subscribers: Sequence[Subscriber],
        counts: Counts,
        stop: asyncio.Event,
        tell: Tell | None,
    ) -> None:
        self._scenario = scenario
        self._subscribers = subscribers
        self._counts = counts
        self._stop = stop
        self._tell = tell or (lambda _: None)
        self._random = Random(f"{scenario.seed}/events")  # noqa: S311 - a simulation, not a secret
        self._began = time.monotonic()

    def chapters(self) -> list[Coroutine[None, None, None]]:
        """Return what runs beside the homes' lives."""
        chapters = []
        if self._scenario.outage:
            chapters.append(self._suffer(self._scenario.outage))
        if self._scenario.silence:
            chapters.append(self._fall_silent(self._scenario.silence))
        return chapters

    async def _suffer(self, outage: Outage) -> None:
        """Break all lines, and let the homes return. A run that is stopped meanwhile gets its homes back at once."""
        if await self._until(outage.after_s):
            return
        self._counts.cut = sum([subscriber.lose_network() for subscriber in self._subscribers])
        self._say(f"the network fails: {self._counts.cut:,} connections broken, {len(self._subscribers):,} homes away")
        end_s = outage.after_s + outage.length_s
        returns = sorted(
            (end_s + self._random.uniform(0, outage.return_within_s), number)
            for number in range(len(self._subscribers))
        )
        await self._until(end_s)
        self._counts.back_ns = time.monotonic_ns()
        pace = f"within {outage.return_within_s:g} s" if outage.return_within_s else "all at once"
        self._say(f"the network is back, homes return {pace}")
        for at_s, number in returns:
            await self._until(at_s)
            self._subscribers[number].find_network()
        self._say("every home has dialled again or is about to")

    async def _fall_silent(self, silence: Silence) -> None:
        if await self._until(silence.after_s):
            return
        count = math.ceil(silence.share * len(self._subscribers))
        quiet = sorted(self._random.sample(range(len(self._subscribers)), count))
        for number in quiet:
            self._subscribers[number].fall_silent()
        names = tuple(self._scenario.accounts[number].account for number in quiet)
        self._counts.silent = names
        rest = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        self._say(f"{len(names):,} homes fall silent: {', '.join(names[:NAMED])}{rest}")

    async def _until(self, after_s: float) -> bool:
        """Wait for a moment of the run; say whether the run was stopped before."""
        wait_s = self._began + after_s - time.monotonic()
        if wait_s > 0 and not self._stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._stop.wait()
        return self._stop.is_set()

    def _say(self, what: str) -> None:
        self._tell(f"{time.monotonic() - self._began:7.1f} s  {what}")
