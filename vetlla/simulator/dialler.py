"""How a terminal delivers a message: send, wait for the acknowledgement, repeat, correct the clock, dial again.

The behaviour is that of the premises equipment (PE) in DC-09: the same sequence number on every retry, a new message
only when the last one is settled.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from vetlla.errors import LinkError
from vetlla.protocols import dc09_frame
from vetlla.simulator.faults import damage, tear
from vetlla.simulator.home import Fate
from vetlla.simulator.line import dial
from vetlla.simulator.scenario import Connection, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from vetlla.simulator.home import Home, Message
    from vetlla.simulator.line import Line
    from vetlla.simulator.scenario import Scenario
    from vetlla.simulator.statistics import Counts

    Unsettled: TypeAlias = dict[str, Message]

ACK, NAK, DUH = "ACK", "NAK", "DUH"
FATES = {ACK: Fate.ACKNOWLEDGED, DUH: Fate.REFUSED}
REDIAL_PAUSE_S = 0.5
"""After a line failed: long enough not to hammer a receiver that restarts, short enough to notice when it is back."""
TEAR_PAUSE_S = 0.002
"""Between the pieces of a torn frame, so that the kernel does not put them together again."""

_OTHER_PATH = {Transport.TCP: Transport.UDP, Transport.UDP: Transport.TCP, Transport.TLS: Transport.TLS}


class Dialler:
    """One home's end of the line."""

    def __init__(
        self, home: Home, scenario: Scenario, counts: Counts, random: Random, settled: Callable[[Message], None] | None
    ) -> None:
        self._home = home
        self._scenario = scenario
        self._counts = counts
        self._random = random
        self._settled = settled
        self._line: Line | None = None
        self._second_line: Line | None = None
        self._sent_twice = ""
        """Sequence whose acknowledgement is awaited on the second line."""

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Deliver the messages, together if there are several; return when each is settled, for good or ill."""
        unsettled = {message.sequence: message for message in messages}
        try:
            for attempt in range(self._scenario.attempts):
                await self._attempt(unsettled, first=attempt == 0)
                if not unsettled:
                    break
            await self._hear_second_path()
        finally:
            for message in unsettled.values():
                self._settle(message, Fate.LOST)
            if self._scenario.connection is Connection.EACH:
                self.hang_up()

    async def dial(self) -> Line:
        """Return the standing line, or open one. LinkError: the receiver does not answer."""
        if self._line is None or self._line.inbox.ended:
            self._drop()
            self._line = await dial(self._scenario, self._scenario.transport)
            self._counts.connections += 1
        return self._line

    def hang_up(self) -> None:
        """Close what is open."""
        self._drop()
        if self._second_line is not None:
            self._second_line.hang_up()
            self._second_line = None

    def _drop(self) -> None:
        if self._line is not None:
            self._line.hang_up()
            self._line = None

    async def _attempt(self, unsettled: Unsettled, *, first: bool) -> None:
        try:
            line = await self.dial()
            if first:
                line = await self._send_first(line, list(unsettled.values()))
            else:
                self._repeat(line, unsettled)
            await self._listen(line, unsettled)
        except LinkError:
            self._counts.dropped += 1
            self._drop()
            await asyncio.sleep(REDIAL_PAUSE_S)

    async def _send_first(self, line: Line, messages: Sequence[Message]) -> Line:
        """Send for the first time, with the mishaps the scenario wants; return the line that now counts."""
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
        if self._meets(faults.damage):
            line.send(damage(frames[0], self._random))
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
        self._sent_twice = message.sequence
        self._counts.duplicated += 1

    async def _hear_second_path(self) -> None:
        """Wait for the acknowledgement of the duplicate, if there was one; the message itself is settled already."""
        if self._second_line is None or not self._sent_twice:
            return
        awaited, self._sent_twice = self._sent_twice, ""
        until = time.monotonic() + self._scenario.timeout_s
        with suppress(LinkError):
            while (data := await self._second_line.inbox.get(until)) is not None:
                reply = self._read(data)
                if reply is not None and (reply.token, reply.sequence) == (ACK, awaited):
                    self._counts.second_path += 1
                    return

    def _repeat(self, line: Line, unsettled: Unsettled) -> None:
        for message in unsettled.values():
            message.sent_ns = message.sent_ns or time.monotonic_ns()
            self._counts.repeated += bool(message.attempts)
            message.attempts += 1
            if self._home.key is not None:
                self._home.seal(message)
            line.send(message.frame)

    async def _listen(self, line: Line, unsettled: Unsettled) -> None:
        """Take replies until all is settled, time is up, or the clock was put right and a repeat will pass."""
        until = time.monotonic() + self._scenario.timeout_s
        while unsettled and (data := await line.inbox.get(until)) is not None:
            if self._judge(data, unsettled):
                return

    def _judge(self, data: bytes, unsettled: Unsettled) -> bool:
        """Settle what the reply settles; say whether it put the clock right."""
        reply = self._read(data)
        if reply is None:
            self._counts.malformed += 1
        elif reply.token == NAK:
            self._counts.nak += 1
            return reply.timestamp is not None and self._home.set_clock(reply.timestamp)
        elif reply.token in FATES and (message := unsettled.pop(reply.sequence, None)) is not None:
            self._settle(message, FATES[reply.token])
        else:
            self._counts.stray += 1
        return False

    def _read(self, data: bytes) -> dc09_frame.Frame | None:
        """Return the reply if everything about it is right: checksum, length, form, addressee and seal."""
        key = self._home.key
        reply = dc09_frame.parse(data, () if key is None else (key,))
        if not isinstance(reply, dc09_frame.Frame) or reply.quirks:
            return None
        if reply.token == NAK:  # names nobody: "A0", always in clear (5.5.2.2)
            return reply
        # An ACK is sealed if and only if the message was; DUH never is (fact sheet, section 2).
        sealed = key is not None and reply.token == ACK
        return reply if reply.id == self._home.id and reply.sealed is sealed else None

    def _settle(self, message: Message, fate: Fate) -> None:
        message.fate = fate
        message.settled_ns = time.monotonic_ns()
        counts = self._counts
        match fate:
            case Fate.ACKNOWLEDGED:
                counts.acknowledged += 1
                counts.latencies.add((message.settled_ns - message.due_ns) // 1000)
            case Fate.REFUSED:
                counts.refused += 1
            case Fate.LOST | Fate.OPEN:
                counts.lost += 1
        if self._settled is not None:
            self._settled(message)

    def _meets(self, share: float) -> bool:
        return share > 0 and self._random.random() < share
