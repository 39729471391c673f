"""One home: its terminal, its line, and the calls that wait to be sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.domain.errors import LinkError
from vetlla.simulator.dialling.dialler import Dialler
from vetlla.simulator.message import Message
from vetlla.simulator.scenario import Connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.simulator.scenario import Scenario
    from vetlla.simulator.statistics import Counts

WRONG_CLOCK_S = -312.0
"""Error of a home's clock, if the scenario asks for wrong clocks. It is far outside the receiver's window."""

Settled: TypeAlias = Callable[[Message], None]


class Call(NamedTuple):
    """A number of messages that became due together. With size 0 the home only opens its line."""

    due_ns: int
    size: int


class Subscriber:
    """One home with its line and the calls that wait for it."""

    def __init__(self, scenario: Scenario, index: int, counts: Counts, settled: Settled | None) -> None:
        account = scenario.accounts[index]
        self.name = account.account
        random = Random(f"{scenario.seed}/{index}")  # noqa: S311 - a simulation, not a secret
        clock_error_s = WRONG_CLOCK_S if random.random() < scenario.faults.clock else 0.0
        key = scenario.keys[account.key_name] if account.key_name and scenario.dialect.encrypts else None
        self.terminal = scenario.dialect.make(account, key, scenario.mix, random, clock_error_s)
        self.dialler = Dialler(self.terminal, scenario, counts, random, settled)
        self.inbox: asyncio.Queue[Call | None] = asyncio.Queue()
        self.random = random
        self.is_silent = False
        self._counts = counts
        self._keeps_line = scenario.connection is Connection.KEEP
        self._left_ns = 0
        self._back_ns = 0
        """The last time without a network was from ``_left_ns`` to ``_back_ns``, both monotonic."""

    def messages(self, size: int) -> list[Message]:
        """Return the next messages. If several travel together, all have numbers, even heartbeats."""
        return [self.terminal.next(numbered=size > 1) for _ in range(size)]

    async def live_by_inbox(self) -> None:
        """Deliver the calls of the inbox in order, until None."""
        try:
            while (call := await self.inbox.get()) is not None:
                if call.size:
                    await self._deliver(await self._build(call), call.due_ns)
                elif self._keeps_line:
                    with suppress(LinkError):
                        await self.dialler.dial()
        finally:
            self.dialler.hang_up()

    async def live_by_answers(self, ready: Iterable[list[Message]], counts: Counts, stop: asyncio.Event) -> None:
        """Deliver each call as soon as the one before is settled."""
        try:
            for messages in ready:
                if stop.is_set() or self.is_silent:
                    break
                counts.told += len(messages)
                await self._deliver(messages, time.monotonic_ns())
            if self.is_silent:
                await stop.wait()
        finally:
            self.dialler.hang_up()

    def lose_network(self) -> bool:
        """Cut the home off. Return True if a line was open."""
        self._left_ns = time.monotonic_ns()
        return self.dialler.lose_network()

    def find_network(self) -> None:
        """Reconnect the home, which then sends the messages that became due meanwhile."""
        self._back_ns = time.monotonic_ns()
        self.dialler.find_network()
        self.inbox.put_nowait(Call(time.monotonic_ns(), 0))

    def fall_silent(self) -> None:
        """Send nothing from now on. A home that has not dialled yet opens its line, because it must be connected."""
        self.is_silent = True
        self.inbox.put_nowait(Call(time.monotonic_ns(), 0))

    async def _build(self, call: Call) -> list[Message]:
        """Return the messages of a call. If it became due without a network, wait for the network before building."""
        if not self._left_ns or call.due_ns < self._left_ns:
            return self.messages(call.size)
        await self.dialler.has_network()
        if call.due_ns >= self._back_ns:
            return self.messages(call.size)
        self._counts.backlog += call.size
        age_s = (time.monotonic_ns() - call.due_ns) / 1e9
        return [self.terminal.next(numbered=call.size > 1, age_s=age_s) for _ in range(call.size)]

    async def _deliver(self, messages: Sequence[Message], due_ns: int) -> None:
        for message in messages:
            message.due_ns = due_ns
        await self.dialler.deliver(messages)
