"""Checks of the webhooks as providers reach them: the public address, its certificate, the proxy and the service."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vetlla.checks.reminders.failures import failed
from vetlla.domain.errors import LinkError, VetllaError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel
from vetlla.gateways.http import HttpCaller
from vetlla.settings.reminders.channels import SmppSms
from vetlla.settings.secret import read_secret
from vetlla.worker.reminders.channels import WHATSAPP_PATH
from vetlla.worker.reminders.webhooks import ALIVE

if TYPE_CHECKING:
    from vetlla.settings.reminders.channels import WhatsApp
    from vetlla.settings.reminders.model import ReminderSettings

SOON: Final = timedelta(days=30)
"""A certificate that ends within this time is to be renewed."""
CONNECT_S: Final = 10.0
"""Most seconds until a connection is open, and until an answer comes."""
HTTPS: Final = 443
_REMEDY: Final = (
    "check public_url, the proxy, its certificate chain and the firewall; a machine inside may not reach its own "
    "public address"
)


async def webhooks(settings: ReminderSettings, now: datetime) -> list[Finding]:
    """Call the public address as the providers do."""
    used = settings.policy.channels
    whatsapp = settings.whatsapp if Channel.WHATSAPP in used else None
    has_sms_hooks = Channel.SMS in used and settings.sms is not None and not isinstance(settings.sms, SmppSms)
    if whatsapp is None and not has_sms_hooks:
        return []
    tls = ssl.create_default_context()
    http = HttpCaller(tls=tls, connect_s=CONNECT_S, answer_s=CONNECT_S, whole_s=2 * CONNECT_S)
    found = []
    try:
        if whatsapp is not None:
            found.append(await _challenge(http, settings.webhooks.public_url, whatsapp))
        if has_sms_hooks:
            found.append(await _alive(http, settings.webhooks.public_url))
    finally:
        await http.close()
    return [*found, *await certificate(settings.webhooks.public_url, tls, now)]


async def _challenge(http: HttpCaller, public_url: str, given: WhatsApp) -> Finding:
    """Ask as Meta does when a webhook is registered: only our service knows the word and gives the challenge back."""
    check, url = "webhook whatsapp", public_url + WHATSAPP_PATH
    challenge = secrets.token_hex(16)
    try:
        word = read_secret(given.verify_token_file, "whatsapp")
        query = {"hub.mode": "subscribe", "hub.verify_token": word, "hub.challenge": challenge}
        answer = await http.call("GET", url, query=query)
    except VetllaError as error:
        return failed(check, error, _REMEDY)
    if answer.status == 200 and answer.text == challenge:
        return Finding(check=check, level=Level.OK, text=f"{url} gives Meta's challenge back")
    return Finding(
        check=check,
        level=Level.CRITICAL,
        text=f"{url} does not give Meta's challenge back (HTTP {answer.status}): no reply and no report comes in",
        remedy=f"let the proxy hand {WHATSAPP_PATH} on with its query; after a new verify token, restart the service",
    )


async def _alive(http: HttpCaller, public_url: str) -> Finding:
    check, url = "webhook sms", public_url + ALIVE
    try:
        answer = await http.call("GET", url)
    except VetllaError as error:
        return failed(check, error, _REMEDY)
    if answer.status == 200 and answer.text.strip() == "ok":
        return Finding(check=check, level=Level.OK, text=f"{url} answers")
    return Finding(
        check=check,
        level=Level.CRITICAL,
        text=f"{url} does not lead to the service (HTTP {answer.status})",
        remedy="let the proxy hand all paths below public_url on to webhooks.host and port",
    )


async def certificate(public_url: str, tls: ssl.SSLContext, now: datetime) -> list[Finding]:
    """Check until when the certificate of the public address holds; a broken connection is another check's finding."""
    place = urlsplit(public_url)
    if place.scheme != "https":
        text = f"{public_url} is not encrypted: Meta calls only https"
        return [Finding(check="certificate", level=Level.WARNING, text=text, remedy="give the proxy a certificate")]
    try:
        end = await _end(place.hostname or "", place.port or HTTPS, tls)
    except LinkError:
        return []
    text = f"of {place.netloc}: ends on {end:%Y-%m-%d}"
    if end - now < SOON:
        return [
            Finding(
                check="certificate",
                level=Level.WARNING,
                text=text,
                remedy="renew it; without a valid one no reply and no report comes in",
            )
        ]
    return [Finding(check="certificate", level=Level.OK, text=text)]


async def _end(host: str, port: int, tls: ssl.SSLContext) -> datetime:
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port, ssl=tls)
    except (OSError, TimeoutError) as error:
        raise LinkError(f"{host} port {port}: no connection") from error
    found = writer.get_extra_info("peercert")
    writer.close()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
