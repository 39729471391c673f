"""Checks of the channel SMS: what citizens see as its sender, and whether the gateway's host can be reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vetlla.domain.findings import Finding, Level
from vetlla.service.reminders.texts.text import SenderKind
from vetlla.settings.reminders.channels import HttpSms, SmppSms
from vetlla.worker.reminders.wiring import sender_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.settings.reminders.channels import Sms
    from vetlla.settings.reminders.model import ReminderSettings

CONNECT_S: Final = 10.0
"""Most seconds until a connection is open."""
_PORTS: Final = {"http": 80, "https": 443}


def sender(settings: ReminderSettings, given: Sms) -> Iterator[Finding]:
    """Check the sender. Since 15 September 2026 operators block names that are not in the register of the CNMC."""
    if sender_kind(settings) is SenderKind.NUMBER:
        yield Finding(check="sms sender", level=Level.OK, text="a number, which citizens can answer")
        return
    if given.sender_registered_on is None:
        yield Finding(
            check="sms sender",
            level=Level.CRITICAL,
            text="it is a name, and no registration is known: operators block names outside the register of the CNMC",
            remedy="register the name (CNMC Circular 1/2026) and set sms.sender_registered_on, or send from a number",
        )
    yield Finding(
        check="sms sender",
        level=Level.WARNING,
        text="it is a name: citizens can neither confirm nor cancel by answering it",
        remedy="send from a number; until then the texts with sender = alias give a telephone",
    )


async def gateway(given: Sms) -> Finding:
    """Connect to the gateway's host, and leave."""
    host, port = _place(given)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        why = getattr(error, "strerror", None) or "no answer in time"
        return Finding(
            check="sms gateway",
            level=Level.CRITICAL,
            text=f"no connection to {host} port {port}: {why}",
            remedy="check host and port in [sms], the firewall, and whether the provider knows this machine's address",
        )
    writer.close()
    return Finding(check="sms gateway", level=Level.OK, text=f"{host} port {port} accepts connections")


def _place(given: Sms) -> tuple[str, int]:
    if isinstance(given, SmppSms):
        return given.host, given.port
    url = urlsplit(given.url if isinstance(given, HttpSms) else given.base_url)
    return url.hostname or "", url.port or _PORTS[url.scheme]
