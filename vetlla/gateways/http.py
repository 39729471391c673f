"""One HTTP call to another system, and what is known if it fails: nothing was written, or the outcome is unknown.

aiohttp repeats a GET, PUT or DELETE by itself when a server closes the connection without an answer, even on a new
connection. Here such a call may send a message or cancel an appointment, so a second attempt is stopped.
"""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp

from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import OutcomeUnknownError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

ANSWER_BYTES: Final = 1 << 20
"""Most bytes of an answer that are read; the answers of a send have a few hundred."""
CONNECT_S: Final = 10.0
"""Most seconds until a connection is open. Nothing is written before."""
ANSWER_S: Final = 30.0
"""Most seconds between two reads of an answer."""
WHOLE_S: Final = 60.0
"""Most seconds of a whole call, so that a server that sends a byte now and then holds no dispatcher."""
IDLE_S: Final = 10.0
"""Seconds for which an unused connection is kept. Servers close theirs later, so that a call seldom meets
a closed one."""


class Answer(NamedTuple):
    """What a server answered, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the other side wrote
        """Return the body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def retry_after_s(self) -> float | None:
        """Seconds after which the server wants the next call (RFC 9110, 10.2.3); None if it does not say."""
        given = self.headers.get("Retry-After", "").strip()
        if given.isascii() and given.isdigit():
            return float(given)
        with suppress(ValueError, TypeError):
            until = parsedate_to_datetime(given) - parsedate_to_datetime(self.headers.get("Date", ""))
            return max(until.total_seconds(), 0.0)
        return None


@dataclass(slots=True)
class _Progress:
    is_written: bool = False


class _SecondAttemptError(aiohttp.ClientError):
    """The client was about to write the same request again."""


class HttpCaller:
    """Makes calls over its own connections. Each call writes its request at most once, and follows no redirection."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | bool = True,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=whole_s, sock_connect=connect_s, sock_read=answer_s)
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,  # noqa: ANN401 - any JSON
        form: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        user: tuple[str, str] | None = None,
    ) -> Answer:
        """Return the answer. Raises LinkError if nothing was written, and OutcomeUnknownError afterwards.

        ``body`` is sent as JSON, ``form`` as a form, and ``raw`` as it is, with its type in ``headers``. ``user`` is a
        name and a password for HTTP Basic.
        """
        progress = _Progress()
        try:
            async with self._open().request(
                method,
                url,
                headers={**(headers or {}), **(basic_header(*user) if user else {})},
                params=query,
                json=body,
                data=form if raw is None else raw,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                return Answer(response.status, response.headers.copy(), await _read(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Neither the address nor the error's text is told: both can hold a telephone number or a password.
            what = f"{method} to {_host(url)}: {reason_of(error)}"
            if progress.is_written:
                raise OutcomeUnknownError(f"{what}; the request was written, so it may have been carried out") from None
            raise LinkError(f"{what}; nothing was sent") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_written)
            trace.on_connection_create_start.append(_refuse_second)
            trace.on_connection_reuseconn.append(_refuse_second)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, keepalive_timeout=IDLE_S),
                timeout=self._timeout,
                trace_configs=[trace],
            )
        return self._session


def basic_header(name: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic (RFC 7617, with UTF-8)."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode('ascii')}"}


async def _note_written(_session: object, context: Any, _params: object) -> None:  # noqa: ANN401 - aiohttp's type
    context.trace_request_ctx.is_written = True


async def _refuse_second(_session: object, context: Any, _params: object) -> None:  # noqa: ANN401 - aiohttp's type
    if context.trace_request_ctx.is_written:
        raise _SecondAttemptError("the connection was closed without an answer")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body up to the bound; a longer one is cut, so that it is no JSON."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > ANSWER_BYTES:
            return bytes(body[:ANSWER_BYTES])
    return bytes(body)


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2] or "its server"


_REASONS: Final = (
    (aiohttp.ConnectionTimeoutError, "it did not accept a connection in time"),
    (TimeoutError, "it did not answer in time"),
    (aiohttp.ClientConnectorCertificateError, "its certificate was not accepted"),
    (aiohttp.ClientConnectorSSLError, "its certificate was not accepted"),
    (aiohttp.ClientConnectorDNSError, "its name is unknown"),
    (aiohttp.ServerDisconnectedError, "it closed the connection without an answer"),
    (_SecondAttemptError, "it closed the connection without an answer"),
    (aiohttp.ClientPayloadError, "it closed the connection before the end of its answer"),
    (aiohttp.InvalidURL, "this is no address"),
)
"""What each error of the client means; the first that fits."""


def reason_of(error: BaseException) -> str:
    """Return what an error of the client means, without the address that it was about."""
    known = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
    if known is None and isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return f"no connection ({error.os_error.strerror})"
    return known or type(error).__name__
