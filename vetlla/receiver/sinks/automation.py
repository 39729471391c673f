"""Reports to other automation software as a line receiver does: one message at a time, each until its ACK.

The software sees a line receiver, such as a Sur-Gard or an Ademco 685, that never fails. It gets a heartbeat while
nothing happens, and a message again that it did not acknowledge. Signals of all kinds become Contact ID. A signal whose
account cannot be written in the protocol's field goes under the account that a label of its home names
(``automation:1234``), or under the setting ``other_account``.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Phase
from vetlla.links.wire.way import kept_open
from vetlla.protocols.automation.contact_id import contact_id_of
from vetlla.protocols.automation.fields import LineForm
from vetlla.protocols.automation.reports import ContactId, EventReport, Heartbeat, Unwritable
from vetlla.protocols.automation.talker import Patience, Talker, Turn
from vetlla.protocols.automation.writers import writer_of
from vetlla.receiver.listeners.line.ways import way_of
from vetlla.receiver.sinks.contract import PeerAwayError, RefusedContentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.accounts import Account
    from vetlla.domain.errors import LinkError
    from vetlla.domain.onward import Onward
    from vetlla.links.wire.contract import Wire
    from vetlla.protocols.automation.fields import Writer
    from vetlla.settings.sinks.automation import AutomationSink

AT_ONCE: Final = 50
"""Most signals of one call, so that the position moves a few times a second while a backlog is sent."""
PRESENCE_S: Final = 20.0
"""Longest wait of one call for software that is away. Then the sink shows that its peer is away, and calls again."""
LABEL: Final = "automation:"
"""Beginning of a label that names the account of a home in the other software."""


_A_TEST: Final = ContactId(Phase.NEW, "602")


class _Message(NamedTuple):
    frame: bytes


class AutomationDelivery:
    """The port of one automation software, with the talker that speaks there."""

    at_once = AT_ONCE

    def __init__(self, settings: AutomationSink, *, presence_s: float = PRESENCE_S) -> None:
        """Take the settings. Raises UsageError if the protocol cannot have one of them."""
        self._settings = settings
        self.address = settings.address
        self._writer = writer_for(settings)
        beat = self._writer.write(Heartbeat(settings.receiver))
        assert isinstance(beat, bytes)  # the settings allow two hexadecimal digits
        patience = Patience(answer_s=settings.answer_s, tries=settings.tries, heartbeat_s=settings.heartbeat_s)
        self._talker = Talker[_Message](beat, patience)
        self._presence_s = presence_s
        self._wire: Wire | None = None
        self._why = "it is not connected yet"
        self._remedy = ""
        self._open = AsyncExitStack()
        self._is_open = False
        self._news = asyncio.Event()
        """Set when a message was acknowledged, or the connection or the presence of the software has changed."""
        self._timer: asyncio.TimerHandle | None = None
        self.port = 0
        """Port on which it listens, if the software connects to it."""

    async def begin(self) -> None:
        """Open the port and send heartbeats, before there is a signal. Raises LinkError."""
        if not self._is_open:
            _, self.port = await self._open.enter_async_context(kept_open(way_of(self._settings), self, self._failed))
            self._is_open = True

    async def deliver(self, records: Sequence[Onward]) -> int:
        """Send signals one after the other; return how many of the first were acknowledged.

        Raises PeerAwayError, or RefusedContentError if the first one cannot be written.
        """
        await self.begin()
        messages = self._messages(records)
        await self._await_presence()
        for message in messages:
            self._do(self._talker.offer(message, time.monotonic()))
        try:
            while self._talker.backlog and not self._is_away:
                self._news.clear()
                await self._news.wait()
        finally:
            left = self._talker.drop()
        if len(left) == len(messages):
            raise self._away()
        return len(messages) - len(left)

    async def close(self) -> None:
        """Close the port."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_open = False
        stack, self._open = self._open, AsyncExitStack()
        await stack.aclose()

    # --- what the wire tells ----------------------------------------------------------------------------------------

    def opened(self, wire: Wire) -> None:
        """Speak: the port is open, or the software has connected."""
        self._wire, self._why, self._remedy = wire, "", ""
        is_new_stream = self._settings.serial is None
        self._do(self._talker.connected(time.monotonic(), is_new_stream=is_new_stream))
        self._news.set()

    def received(self, data: bytes) -> None:
        """Take answers."""
        self._do(self._talker.received(data, time.monotonic()))
        self._news.set()

    def closed(self, why: str) -> None:
        """Wait for the next connection."""
        self._wire, self._why = None, why or "it was closed"
        self._talker.disconnected()
        self._set_timer()
        self._news.set()

    def _failed(self, error: LinkError) -> None:
        self._why, self._remedy = error.args[0], error.remedy

    # --- the talker -------------------------------------------------------------------------------------------------

    @property
    def _is_away(self) -> bool:
        return self._wire is None or self._talker.is_absent

    def _do(self, turn: Turn[_Message]) -> None:
        if turn.write and self._wire is not None:
            self._wire.write(turn.write)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wakes_at = self._talker.wakes_at
        if wakes_at is not None:
            delay_s = max(0.0, wakes_at - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._do(self._talker.tick(time.monotonic()))
        self._news.set()

    async def _await_presence(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._presence_s):
                while self._is_away:
                    self._news.clear()
                    await self._news.wait()
        if self._is_away:
            raise self._away()

    def _away(self) -> PeerAwayError:
        if self._wire is not None:
            text = "the software is connected and does not acknowledge messages"
            return PeerAwayError(text, remedy="compare protocol and settings of both ends; see the software's log")
        remedy = self._remedy or "see whether the software runs and can reach this machine"
        return PeerAwayError(f"the software is not connected: {self._why}", remedy=remedy)

    # --- messages ---------------------------------------------------------------------------------------------------

    def _messages(self, records: Sequence[Onward]) -> list[_Message]:
        """Return the messages of the first signals, up to one that cannot be written. Raises RefusedContentError."""
        messages: list[_Message] = []
        for record in records:
            frame = self._frame(record)
            if isinstance(frame, Unwritable):
                if not messages:
                    raise RefusedContentError(
                        f"the message cannot be written: {frame.why}",
                        remedy=f'give the account a label "{LABEL}1234", or set other_account; then restart',
                    )
                break
            messages.append(_Message(frame))
        return messages

    def _frame(self, record: Onward) -> bytes | Unwritable:
        signal, settings = record.signal, self._settings
        event = contact_id_of(signal.event, device=signal.device, area=signal.area).event
        named = _named(record.labels)
        places = [(settings.receiver, settings.line)]
        if settings.as_received:
            places.insert(0, (signal.id.receiver or settings.receiver, signal.id.line or settings.line))
        accounts = [named] if named else [signal.id.account]
        if settings.other_account:
            accounts.append(settings.other_account)
        frame: bytes | Unwritable = Unwritable("account", "the signal has no account")
        for account in accounts:
            for receiver, line in places:
                frame = self._writer.write(EventReport(receiver, line, account, event))
                if isinstance(frame, bytes):
                    return frame
        return frame


def _named(labels: Iterable[str]) -> str:
    """Return the account that a label names; empty if none does."""
    return next((label[len(LABEL) :] for label in labels if label.startswith(LABEL)), "")


def can_write(settings: AutomationSink, account: Account) -> bool:
    """Return True if the messages of an account can be written under its own number, or that of its label."""
    report = EventReport(settings.receiver, settings.line, _named(account.labels) or account.account, _A_TEST)
    return isinstance(writer_for(settings).write(report), bytes)


def writer_for(settings: AutomationSink) -> Writer:
    """Return the writer of a sink's messages. Raises UsageError if its protocol cannot have one of the settings."""
    form = LineForm(
        line_width=settings.line_width, account_width=settings.account_width, end=settings.end, header=settings.header
    )
    return writer_of(settings.protocol, form)
