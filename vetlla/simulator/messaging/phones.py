"""The telephones of citizens: each with its conversation, and whether it exists, is on, and has WhatsApp.

A message for a telephone that is off waits until it is on, or until its time has ended.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from vetlla.domain.clock import SystemClock
from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.agenda import Agenda

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType

    from vetlla.domain.clock import Clock

NEVER_US: Final = 1 << 62
"""A time that does not come."""


class MessageFate(StrEnum):
    """What becomes of a message at a telephone."""

    DELIVERED = "delivered"
    READ = "read"
    EXPIRED = "expired"
    """The telephone was off until the message's time had ended."""


class QuickReply(NamedTuple):
    """A button under a message."""

    label: str
    payload: str


@dataclass(slots=True, kw_only=True, eq=False)
class Bubble:
    """One message of a conversation."""

    id: str
    channel: Channel
    text: str
    at: datetime
    is_from_city: bool = True
    buttons: tuple[QuickReply, ...] = ()
    context: str = ""
    """Id of the message that it answers."""
    until_us: int = NEVER_US
    """The network gives it up then."""
    is_read: bool = False
    told: Callable[[MessageFate], None] = field(default=lambda _: None, repr=False)
    """Called with each change of its state."""


@dataclass(slots=True, kw_only=True, eq=False)
class Phone:
    """One telephone."""

    number: str
    """E.164."""
    person: str
    """WhatsApp's id of its owner (BSUID)."""
    name: str = "Nom Cognom"
    exists: bool = True
    is_on: bool = True
    has_whatsapp: bool = True
    hides_number: bool = False
    """Its owner took a user name, so that WhatsApp tells the id alone."""
    is_looked_at: bool = False
    """Each message is read as it comes."""
    thread: list[Bubble] = field(default_factory=list)
    waiting: list[Bubble] = field(default_factory=list)
    """Messages that wait until it is on."""
    wrote_us: dict[Channel, int] = field(default_factory=dict)
    """When its owner last wrote, by channel."""


class ChannelEvent(NamedTuple):
    """Something that happened, for people and programs that watch."""

    at: datetime
    what: str
    """``accepted``, ``refused``, ``delivered``, ``read``, ``expired``, ``failed``, ``reply``, ``webhook`` or
    ``phone``."""
    channel: str = ""
    phone: str = ""
    id: str = ""
    text: str = ""
    detail: str = ""


class PhoneBook:
    """All telephones, and the clock that they use.

    While it is entered as a context, what is due happens by itself. A test moves its clock and calls ``settle``.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.agenda = Agenda(clock or SystemClock())
        self.phones: dict[str, Phone] = {}
        self._watchers: list[Callable[[ChannelEvent], None]] = []
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Let what is due happen by itself from now on."""
        self._work = asyncio.create_task(self.agenda.work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; what is noted is forgotten."""
        if self._work is not None:
            self._work.cancel()
            with suppress(asyncio.CancelledError):
                await self._work

    async def settle(self) -> int:
        """Let all that is due happen. Return how many jobs were done."""
        return await self.agenda.settle()

    # --- who there is -------------------------------------------------------------------------------------------------

    def phone(self, number: str) -> Phone:
        """Return the telephone with a number; a number that is not known yet gets one."""
        found = self.phones.get(number)
        if found is None:
            digits = int(hashlib.sha256(number.encode()).hexdigest(), 16) % 10**20
            found = self.phones[number] = Phone(number=number, person=f"ES.{digits:020}")
        return found

    def of_person(self, person: str) -> Phone | None:
        """Return the telephone of an id of WhatsApp."""
        return next((one for one in self.phones.values() if one.person == person), None)

    def message(self, phone: Phone, id_: str) -> Bubble | None:
        """Return a message of a conversation."""
        return next((one for one in phone.thread if one.id == id_), None)

    # --- what happens -------------------------------------------------------------------------------------------------

    def watch(self, watcher: Callable[[ChannelEvent], None]) -> None:
        """Tell a watcher all that happens from now on."""
        self._watchers.append(watcher)

    def happened(
        self,
        what: str,
        *,
        channel: Channel | None = None,
        phone: str = "",
        id: str = "",  # noqa: A002 - the word of both providers
        text: str = "",
        detail: str = "",
    ) -> None:
        """Tell the watchers."""
        told = ChannelEvent(self.agenda.now, what, channel.value if channel else "", phone, id, text, detail)
        for watcher in self._watchers:
            watcher(told)

    def deliver(self, phone: Phone, bubble: Bubble) -> None:
        """Bring a message to a telephone, now or when it is on."""
        if self.agenda.now_us >= bubble.until_us:
            self.happened(MessageFate.EXPIRED, channel=bubble.channel, phone=phone.number, id=bubble.id)
            bubble.told(MessageFate.EXPIRED)
        elif not phone.is_on:
            phone.waiting.append(bubble)
            if bubble.until_us < NEVER_US:
                left_s = (bubble.until_us - self.agenda.now_us) / 1_000_000
                self.agenda.later(left_s, lambda: self._give_up(phone, bubble))
        else:
            bubble.at = self.agenda.now
            phone.thread.append(bubble)
            bubble.told(MessageFate.DELIVERED)
            self.happened(
                MessageFate.DELIVERED, channel=bubble.channel, phone=phone.number, id=bubble.id, text=bubble.text
            )
            if phone.is_looked_at:
                self._read(phone, bubble)

    async def _give_up(self, phone: Phone, bubble: Bubble) -> None:
        if bubble in phone.waiting:
            phone.waiting.remove(bubble)
            self.deliver(phone, bubble)

    def switch(self, phone: Phone, *, is_on: bool) -> None:
        """Switch a telephone on or off. What waited for it comes."""
        phone.is_on = is_on
        self.happened("phone", phone=phone.number, detail="on" if is_on else "off")
        if is_on:
            waiting, phone.waiting = phone.waiting, []
            for bubble in waiting:
                self.deliver(phone, bubble)

    def look_at(self, phone: Phone, *, is_looked_at: bool = True) -> None:
        """Let its owner look at a telephone, who reads all that came and all that comes."""
        phone.is_looked_at = is_looked_at
        if is_looked_at:
            for bubble in phone.thread:
                if bubble.is_from_city and not bubble.is_read:
                    self._read(phone, bubble)

    def _read(self, phone: Phone, bubble: Bubble) -> None:
        bubble.is_read = True
        if bubble.channel is Channel.WHATSAPP:  # no one is told that an SMS was read
            bubble.told(MessageFate.READ)
            self.happened(MessageFate.READ, channel=bubble.channel, phone=phone.number, id=bubble.id)

    def write(self, phone: Phone, bubble: Bubble) -> None:
        """Keep a message that its owner wrote."""
        phone.thread.append(bubble)
        phone.wrote_us[bubble.channel] = self.agenda.now_us
        self.happened(
            "reply", channel=bubble.channel, phone=phone.number, id=bubble.id, text=bubble.text, detail=bubble.context
        )
