"""What befalls a fleet in the middle of a run: the network fails and comes back, some homes fall silent."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from vetlla.simulator.scenario import Outage, Silence
    from vetlla.simulator.statistics import Fortunes

Tell: TypeAlias = Callable[[str], None]
NAMED = 8
"""Accounts that a sentence names; the report has them all."""


class Member(Protocol):
    """One home of a fleet, whatever it speaks."""

    name: str
    """Its account."""

    def lose_network(self) -> bool:
        """Be cut off; say whether that broke a line that stood."""
        ...

    def find_network(self) -> None:
        """Go on: with what became due meanwhile, or with nothing but a line."""
        ...

    def fall_silent(self) -> None:
        """Say nothing from now on, the line standing."""
        ...


class Story:
    """The events of one run."""

    def __init__(
        self,
        fleet: Sequence[Member],
        counts: Fortunes,
        stop: asyncio.Event,
        *,
        outage: Outage | None,
        silence: Silence | None,
        seed: int,
        tell: Tell | None,
    ) -> None:
        self._outage = outage
        self._silence = silence
        self._fleet = fleet
        self._counts = counts
        self._stop = stop
        self._tell = tell or (lambda _: None)
        self._random = Random(f"{seed}/events")  # noqa: S311 - a simulation, not a secret
        self._began = time.monotonic()

    def chapters(self) -> list[Coroutine[None, None, None]]:
        """Return what runs beside the homes' lives."""
        chapters = []
        if self._outage:
            chapters.append(self._suffer(self._outage))
        if self._silence:
            chapters.append(self._fall_silent(self._silence))
        return chapters

    async def _suffer(self, outage: Outage) -> None:
        """Break all lines, and let the homes return. A run that is stopped meanwhile gets its homes back at once."""
        if await self._until(outage.after_s):
            return
        self._counts.cut = sum([member.lose_network() for member in self._fleet])
        self._say(f"the network fails: {self._counts.cut:,} connections broken, {len(self._fleet):,} homes away")
        end_s = outage.after_s + outage.length_s
        returns = sorted(
            (end_s + self._random.uniform(0, outage.return_within_s), number) for number in range(len(self._fleet))
        )
        await self._until(end_s)
        self._counts.back_ns = time.monotonic_ns()
        pace = f"within {outage.return_within_s:g} s" if outage.return_within_s else "all at once"
        self._say(f"the network is back, homes return {pace}")
        for at_s, number in returns:
            await self._until(at_s)
            self._fleet[number].find_network()
        self._say("every home has dialled again or is about to")

    async def _fall_silent(self, silence: Silence) -> None:
        if await self._until(silence.after_s):
            return
        count = math.ceil(silence.share * len(self._fleet))
        quiet = sorted(self._random.sample(range(len(self._fleet)), count))
        for number in quiet:
            self._fleet[number].fall_silent()
        names = tuple(self._fleet[number].name for number in quiet)
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
