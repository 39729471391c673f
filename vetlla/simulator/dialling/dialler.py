"""Delivers a terminal's message: send, wait for the acknowledgement, repeat, correct the clock, dial again.

The behaviour is that of the premises equipment (PE) in DC-09, and of GSM terminals as far as it is known. Every retry
sends the same message, and a new one is sent only when the last one is settled. The dialect interprets the bytes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.domain.errors import LinkError
from vetlla.simulator.dialects.dialect import Meaning
from vetlla.simulator.dialling.line import dial
from vetlla.simulator.faults import tear
from vetlla.simulator.message import Fate
from vetlla.simulator.scenario import Connection, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from vetlla.simulator.dialects.dialect import Terminal
    from vetlla.simulator.dialling.line import Line
    from vetlla.simulator.message import Message
    from vetlla.simulator.scenario import Scenario
    from vetlla.simulator.statistics import Counts

FATES = {Meaning.ACKNOWLEDGED: Fate.ACKNOWLEDGED, Meaning.REFUSED: Fate.REFUSED}
REDIAL_PAUSE_S = 0.5
"""Pause after a line failed: long enough to spare a receiver that restarts, short enough to find it back soon."""
TEAR_PAUSE_S = 0.002
"""Pause between the pieces of a torn frame, so that the kernel does not join them again."""

_OTHER_PATH = {Transport.TCP: Transport.UDP, Transport.UDP: Transport.TCP, Transport.TLS: Transport.TLS}


class Dialler:
    """One home's end of the line."""

    def __init__(
        self,
        terminal: Terminal,
        scenario: Scenario,
        counts: Counts,
        random: Random,
        settled: Callable[[Message], None] | None,
    ) -> None:
        self._terminal = terminal
        self._scenario = scenario
        self._counts = counts
        self._random = random
        self._settled = settled
        self._line: Line | None = None
        self._second_line: Line | None = None
        self._sent_twice: Message | None = None
        """The message whose acknowledgement is awaited on the second line."""
        self._network = asyncio.Event()
        """Set while the home has a network."""
        self._network.set()
        self._back_ns = 0
        """When the network came back. The time without it is not latency of the receiver."""

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Deliver the messages, together if there are several. Return when each is settled, even if it is lost."""
        unsettled = list(messages)
        try:
            attempts = 0
            while unsettled and attempts < self._scenario.attempts:
                attempts += await self._attempt(unsettled)
            await self._hear_second_path()
        finally:
            for message in unsettled:
                self._settle(message, Fate.LOST)
            if self._scenario.connection is Connection.EACH:
                self.hang_up()

    async def dial(self) -> Line:
        """Return the open line, or open one and log in. Raises LinkError if the receiver does not answer correctly."""
        if self._line is None or self._line.inbox.ended:
            self._drop()
            await self._network.wait()
            line = self._line = await dial(self._scenario, self._scenario.transport)
            self._counts.connections += 1
            try:
                await self._greet(line)
            except LinkError:
                self._drop()
                raise
        return self._line

    def lose_network(self) -> bool:
        """Break the open line, and open no other until the network is back. Return True if a line was open."""
        self._network.clear()
        stood = self._line is not None and not self._line.inbox.ended
        for line in (self._line, self._second_line):
            if line is not None:
                line.break_off()
        return stood

    async def has_network(self) -> None:
        """Wait until the home has a network."""
        await self._network.wait()

    def find_network(self) -> None:
        """Allow the home to dial again."""
        self._back_ns = time.monotonic_ns()
        self._network.set()

    def hang_up(self) -> None:
        """Close the open lines."""
        self._drop()
        if self._second_line is not None:
            self._second_line.hang_up()
            self._second_line = None

    def _drop(self) -> None:
        if self._line is not None:
            self._line.hang_up()
            self._line = None

    async def _greet(self, line: Line) -> None:
        """Log in if the protocol has a login, and wait for the answer if there is one."""
        if not self._network.is_set():
            raise LinkError("the network failed while the line was opened")
        if not self._terminal.greeting:
            return
        line.send(self._terminal.greeting)
        if self._terminal.is_welcome(b"") is None:
            return
        answer = await line.inbox.get(time.monotonic() + self._scenario.timeout_s)
        if answer is None or not self._terminal.is_welcome(answer):
            self._counts.malformed += answer is not None
            raise LinkError("the receiver did not answer the login correctly")

    async def _attempt(self, unsettled: list[Message]) -> bool:
        """Try once. Return False if the network failed meanwhile, because that does not count as an attempt."""
        try:
            line = await self.dial()
            if unsettled[0].attempts:
                self._repeat(line, unsettled)
            else:
                line = await self._send_first(line, unsettled)
            await self._listen(line, unsettled)
        except LinkError:
            self._drop()
            if not self._network.is_set():
                return False
            self._counts.dropped += 1
            await asyncio.sleep(REDIAL_PAUSE_S)
        return True

    async def _send_first(self, line: Line, messages: Sequence[Message]) -> Line:
        """Send for the first time, with the scenario's mishaps. Return the line to listen on."""
        sent_ns = time.monotonic_ns()
        for message in messages:
            message.attempts = 1
            message.sent_ns = sent_ns
        if not self._scenario.faults.any:
            for message in messages:
                line.send(message.frame)
            return line
        return await self._send_with_mishaps(line, messages)

    async def _send_with_mishaps(self, line: Line, messages: Sequence[Message]) -> Line:
        faults = self._scenario.faults
        stream = self._scenario.transport is not Transport.UDP
        frames = [message.frame for message in messages]
        if self._scenario.dialect.damage is not None and self._meets(faults.damage):
            line.send(self._scenario.dialect.damage(frames[0], self._random))
        if self._meets(faults.duplicate):
            await self._send_twice(messages[0])
        if self._meets(faults.retry):
            line.send(b"".join(frames) if stream else frames[0])
            self._drop()
            line = await self.dial()
        if stream and self._meets(faults.torn):
            for piece in tear(b"".join(frames), self._random):
                line.send(piece)
                await asyncio.sleep(TEAR_PAUSE_S)
        elif stream:
            line.send(b"".join(frames))
        else:
            for frame in frames:
                line.send(frame)
        return line

    async def _send_twice(self, message: Message) -> None:
        """Send the frame over the second path: the other transport, or a second TLS connection."""
        line = self._second_line
        if line is None or line.inbox.ended:
            if line is not None:
                line.hang_up()
            line = self._second_line = await dial(self._scenario, _OTHER_PATH[self._scenario.transport])
        line.send(message.frame)
        self._sent_twice = message
        self._counts.duplicated += 1

    async def _hear_second_path(self) -> None:
        """Wait for the acknowledgement of the duplicate, if one was sent. The message itself is already settled."""
        if self._second_line is None or self._sent_twice is None:
            return
        awaited, self._sent_twice = self._sent_twice, None
        until = time.monotonic() + self._scenario.timeout_s
        with suppress(LinkError):
            while (data := await self._second_line.inbox.get(until)) is not None:
                if self._terminal.understand(data, [awaited]) == (Meaning.ACKNOWLEDGED, awaited):
                    self._counts.second_path += 1
                    return

    def _repeat(self, line: Line, unsettled: Sequence[Message]) -> None:
        for message in unsettled:
            message.sent_ns = message.sent_ns or time.monotonic_ns()
            self._counts.repeated += bool(message.attempts)
            message.attempts += 1
            self._terminal.renew(message)
            line.send(message.frame)

    async def _listen(self, line: Line, unsettled: list[Message]) -> None:
        """Take replies until all is settled, the time is up, or a NAK corrected the clock (a repeat will then pass)."""
        until = time.monotonic() + self._scenario.timeout_s
        unanswered = [message for message in unsettled if not message.is_answered]
        if unanswered and await line.is_taken(until):
            for message in unanswered:
                unsettled.remove(message)
                self._settle(message, Fate.SENT)
        while unsettled and (data := await line.inbox.get(until)) is not None:
            if self._judge(data, unsettled):
                return

    def _judge(self, data: bytes, unsettled: list[Message]) -> bool:
        """Settle the message that the reply answers. Return True if the reply corrected the clock."""
        meaning, message = self._terminal.understand(data, unsettled)
        match meaning:
            case Meaning.ACKNOWLEDGED | Meaning.REFUSED:
                assert message is not None
                unsettled.remove(message)
                self._settle(message, FATES[meaning])
            case Meaning.WRONG_CLOCK | Meaning.NAK:
                self._counts.nak += 1
            case Meaning.STRAY:
                self._counts.stray += 1
            case Meaning.MALFORMED:
                self._counts.malformed += 1
        return meaning is Meaning.WRONG_CLOCK

    def _settle(self, message: Message, fate: Fate) -> None:
        message.fate = fate
        message.settled_ns = time.monotonic_ns()
        counts = self._counts
        match fate:
            case Fate.ACKNOWLEDGED:
                counts.acknowledged += 1
                counts.latencies.add((message.settled_ns - max(message.due_ns, self._back_ns)) // 1000)
            case Fate.SENT:
                counts.sent += 1
            case Fate.REFUSED:
                counts.refused += 1
            case Fate.LOST | Fate.OPEN:
                counts.lost += 1
        if message.due_ns < self._back_ns:
            counts.backlog_settled_ns = message.settled_ns
        if self._settled is not None:
            self._settled(message)

    def _meets(self, share: float) -> bool:
        return share > 0 and self._random.random() < share
