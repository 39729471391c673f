"""Posts signals to a web server as JSON, signed as Standard Webhooks says (standardwebhooks.com, version 1).

Libraries of many languages check that signature. It covers the message's id, the time and the bytes of the body, so a
body that was recorded cannot be sent again later. The id is made from the body, so the same signals have the same id
when they are sent again. A server that has the id already answers 2xx.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vetlla import __version__
from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import ConfigError, LinkError
from vetlla.gateways.http import HttpCaller
from vetlla.receiver.listeners.tls import client_context
from vetlla.receiver.sinks.contract import PeerAwayError, RefusedContentError
from vetlla.receiver.sinks.message import encoded, fields_of, several_signals
from vetlla.settings.broker import BrokerTls
from vetlla.settings.secret import read_secret
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from vetlla.domain.clock import Clock
    from vetlla.domain.onward import Onward
    from vetlla.gateways.http import Answer
    from vetlla.settings.sinks.webhook import WebhookSink

KEY_PREFIX: Final = "whsec_"
"""What Standard Webhooks writes before a key."""
KEY_BYTES: Final = range(24, 65)
"""Lengths of a key that Standard Webhooks allows."""
NOT_ABOUT_CONTENT: Final = frozenset({401, 403, 404, 405, 407, 408, 409, 410, 421, 423, 425, 429})
"""Answers below 500 that are not about the signals. They end when a person corrects an address, a key or a right, or by
themselves. 409 is among them, because a server answers it while it still works at the first request with this id (IETF
draft httpapi-idempotency-key-header, 2.7): that request may still fail."""
_REMEDIES: Final = {
    401: "compare key_files and token_file with what the server expects",
    403: "let the server accept this sender",
    404: "check url",
    405: "check url: the server takes no POST there",
    410: "check url: the server says that it is gone",
}


class WebhookDelivery:
    """The connection to one web server."""

    def __init__(self, settings: WebhookSink, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._http: HttpCaller | None = None
        self._keys: list[bytes] = []
        self._token = ""
        parts = urlsplit(settings.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self.address = spelled(parts.hostname or "", port)  # without path and query, which may hold a secret

    @property
    def at_once(self) -> int:
        """Most signals of one request."""
        return self._settings.batch_signals

    async def begin(self) -> None:
        """Do nothing: the connection is made at the first signal."""

    async def deliver(self, records: Sequence[Onward]) -> int:
        """Post the first signals; return how many they were. Raises PeerAwayError, RefusedContentError, ConfigError."""
        http = self._http or await self._open()
        parts = self._within_size(records)
        body = several_signals(self._settings.name, parts)
        try:
            answer = await http.call("POST", self._settings.url, headers=self._headers(body), raw=body)
            _judge(answer)
        except RefusedContentError:
            raise
        except LinkError as error:
            await self.close()  # the next attempt reads the files again, because a person may have corrected them
            if isinstance(error, PeerAwayError):
                raise
            raise PeerAwayError(error.args[0], remedy="check url, the network and the server") from error
        return len(parts)

    async def close(self) -> None:
        """Close the connections."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    # --- files of the settings --------------------------------------------------------------------------------------

    async def _open(self) -> HttpCaller:
        settings = self._settings
        self._keys, self._token, tls = await asyncio.to_thread(read_files, settings)
        self._http = HttpCaller(
            tls=True if tls is None else tls,
            connect_s=settings.connect_s,
            answer_s=settings.answer_s,
            whole_s=settings.answer_s,
        )
        return self._http

    # --- request and answer -----------------------------------------------------------------------------------------

    def _within_size(self, records: Sequence[Onward]) -> list[bytes]:
        """Return the first signals as JSON, as many as fit into one body; at least one."""
        parts: list[bytes] = []
        size, most = len(several_signals(self._settings.name, [])), self._settings.batch_kib << 10
        for record in records:
            part = encoded(fields_of(record))
            size += len(part) + 1  # with a comma
            if parts and size > most:
                break
            parts.append(part)
        return parts

    def _headers(self, body: bytes) -> dict[str, str]:
        message = hashlib.sha256(self._settings.name.encode() + b"\0" + body).hexdigest()[:32]
        at_s = self._clock.now().utc_us // SECOND_US
        signed = f"{message}.{at_s}.".encode() + body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"vetlla/{__version__}",
            "Idempotency-Key": message,
            "webhook-id": message,
            "webhook-timestamp": str(at_s),
            "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in self._keys),
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


def read_files(settings: WebhookSink) -> tuple[list[bytes], str, ssl.SSLContext | None]:
    """Return keys, token and TLS context of a webhook from their files. Blocks. Raises ConfigError."""
    who = f"sink {settings.name}"
    keys = [_key(read_secret(file, who), f"{who}: {file}") for file in settings.key_files]
    token = "" if settings.token_file is None else read_secret(settings.token_file, who)
    return keys, token, None if settings.ca is None else client_context(BrokerTls(ca=settings.ca))


def _key(text: str, where: str) -> bytes:
    try:
        key = b64decode(text.strip().removeprefix(KEY_PREFIX), validate=True)
    except Base64Error:
        key = b""
    if len(key) not in KEY_BYTES:
        raise ConfigError(
            f"{where}: should hold {KEY_BYTES.start} to {KEY_BYTES.stop - 1} bytes in base64",
            remedy="openssl rand -base64 32 makes such a key; give it to the server, too",
        )
    return key


def _signature(key: bytes, signed: bytes) -> str:
    return b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


def _judge(answer: Answer) -> None:
    """Return if the server took the signals. Raises PeerAwayError, RefusedContentError."""
    status = answer.status
    told = str(status)
    with suppress(ValueError):
        told = f"{status} {HTTPStatus(status).phrase}"
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise PeerAwayError(f"the server redirects ({told})", remedy="set url to the address that it names")
    if 400 <= status < 500 and status not in NOT_ABOUT_CONTENT:
        raise RefusedContentError(f"the server refuses the content ({told})", remedy="see the server's log")
    raise PeerAwayError(
        f"the server answered {told}",
        remedy=_REMEDIES.get(status, "see the server's log"),
        after_s=answer.retry_after_s or 0.0,
    )
