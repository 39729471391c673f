"""Publishes signals at an MQTT 5 broker: one message for each signal, under a topic of its home.

    vetlla/1/homes/HOME/signals      a registered caller
    vetlla/1/unregistered/signals    a caller that is not registered
    vetlla/1/test/signals            the invented signal of ``vetlla sinks test``

QoS 1: a signal is sent when the broker has acknowledged it. Messages are not retained, because an alarm of yesterday
must not reach a client that subscribes today. MQTT keeps the order within a connection (MQTT 5, 4.6). The broker
acknowledges each message by itself, so those after one that it did not take may have been delivered before it. After
such a case one message at a time is published, until the broker takes it.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import LinkError
from vetlla.domain.signals import Flag
from vetlla.links.mqtt import NO_SUBSCRIBER, REFUSED, UNDER_WAY, Link
from vetlla.receiver.listeners.tls import client_context
from vetlla.receiver.sinks.contract import PeerAwayError, RefusedContentError
from vetlla.receiver.sinks.message import one_signal
from vetlla.settings.secret import read_secret

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from vetlla.domain.onward import Onward
    from vetlla.settings.sinks.mqtt import MqttSink

_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:@")
"""Characters of a home's code that stand in its topic as they are; all others are written as %XX, as in addresses."""
_ABOUT_CONTENT: Final = frozenset({0x90, 0x99})
"""Reasons of a PUBACK that are about the message: topic name invalid, payload format invalid."""


class MqttDelivery:
    """The connection to one broker. It is made at the first signal, and again after it broke."""

    at_once = UNDER_WAY

    def __init__(self, settings: MqttSink) -> None:
        self._settings = settings
        self.address = settings.address
        self._link: Link | None = None
        self._open_link = AsyncExitStack()
        self._one_by_one = False

    async def begin(self) -> None:
        """Do nothing: the connection is made at the first signal."""

    async def deliver(self, records: Sequence[Onward]) -> int:
        """Publish signals; return how many of the first the broker has taken.

        Raises PeerAwayError, RefusedContentError, ConfigError.
        """
        if self._one_by_one:
            records = records[:1]
        try:
            if self._link is not None and self._link.has_ended:
                await self.close()
            link = self._link or await self._open()
            settings = self._settings
            codes = await link.put_all(
                [(topic_of(settings.topics, one), one_signal(settings.name, one)) for one in records]
            )
        except LinkError as error:
            await self.close()
            raise PeerAwayError(error.args[0], remedy=error.remedy) from error
        except BaseException:
            await self.close()  # a message that is still under way must not come after one that is sent again
            raise
        taken = 0
        for record, code in zip(records, codes, strict=True):
            why = self._objection(code)
            if not record.test:  # an invented signal has a topic of its own, and says nothing about the others
                self._one_by_one = why is not None
            if why is not None:
                if taken == 0:
                    raise why
                break
            taken += 1
        return taken

    def _objection(self, code: int) -> PeerAwayError | RefusedContentError | None:
        """Return why a signal does not count as sent, by the reason code of its acknowledgement; None if it does."""
        if code == NO_SUBSCRIBER and self._settings.needs_subscriber:
            return PeerAwayError(
                "no client is subscribed, so the broker would drop the signal",
                remedy="let the client subscribe with a session that outlives its connection",
            )
        if code in _ABOUT_CONTENT:
            return RefusedContentError(f"the broker refuses the message (0x{code:02x})", remedy="see the broker's log")
        if code >= REFUSED:
            return PeerAwayError(
                f"the broker does not take the message (0x{code:02x})",
                remedy=f"let {self._settings.username or self._settings.client_id} write {self._settings.topics}/#",
            )
        return None

    async def close(self) -> None:
        """Say goodbye and close the connection."""
        self._link, stack, self._open_link = None, self._open_link, AsyncExitStack()
        with suppress(LinkError):  # it broke before
            await stack.aclose()

    async def _open(self) -> Link:
        settings = self._settings
        password, tls = await asyncio.to_thread(read_files, settings)
        self._link = await self._open_link.enter_async_context(
            Link(
                settings.host,
                settings.port,
                settings.client_id,
                username=settings.username,
                password=password,
                tls=tls,
                keepalive_s=settings.keepalive_s,
            )
        )
        return self._link


def topic_of(beginning: str, record: Onward) -> str:
    """Return the topic of a signal."""
    if record.test:
        return f"{beginning}/test/signals"
    if Flag.UNKNOWN_ACCOUNT in record.flags:
        return f"{beginning}/unregistered/signals"
    return f"{beginning}/homes/{escaped(record.home)}/signals"


def escaped(home: str) -> str:
    """Return a home's code as one level of a topic."""
    return "".join(
        char if char in _PLAIN else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace")) for char in home
    )


def read_files(settings: MqttSink) -> tuple[str | None, ssl.SSLContext | None]:
    """Return password and TLS context for a broker from their files. Blocks. Raises ConfigError."""
    secret = settings.password_file
    password = None if secret is None else read_secret(secret, f"sink {settings.name}")
    return password, client_context(settings.tls) if settings.tls else None
