"""Calls Qmatic over HTTP: one connection for each call, bounds on size and time, and errors that say what is known.

A call is written once and never again. aiohttp repeats a DELETE by itself if its connection breaks (it holds every
idempotent method to be harmless), so a middleware turns that error into one that aiohttp does not repeat.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPMethod
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from vetlla.domain.errors import ConfigError, LinkError
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.http import reason_of
from vetlla.gateways.qmatic.access import Door
from vetlla.gateways.qmatic.complaints import FORBIDDEN, TOO_MANY, UNAUTHORIZED, Complaint, complaint_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from types import SimpleNamespace

    from vetlla.gateways.qmatic.access import Access

MIB: Final = 1 << 20
MAX_BODY: Final = 64 * MIB
"""Most bytes of an answer. An appointment has about 3 KiB, so 20,000 of them fit."""
MAX_HEADER: Final = 16_384
"""Most bytes of one header of an answer, and of its first line."""
CONNECT_S: Final = 10.0
"""Default time for a connection over the VPN."""
ANSWER_S: Final = 30.0
"""Default time without a byte of an answer. Orchestra needs seconds for a list of weeks."""
WHOLE_S: Final = 90.0
"""Default time of a whole call."""
AGENT: Final = "vetlla-reminders"
SHOWN_OF_ID: Final = 6
"""How many characters of a long id an error tells."""
_LONG_ID: Final = re.compile(r"(?=[A-Za-z_-]*[0-9])[0-9A-Za-z_-]{16,}")
CHUNK: Final = 1 << 16

SUCCESS: Final = range(200, 300)
REDIRECT: Final = range(300, 400)
REFUSAL: Final = range(400, 500)
NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How an installation of Qmatic is reached."""

    url: str
    """Scheme and host, and a path if everything is below one: ``https://qmatic.example.cat``."""
    access: Access | None = None
    referer: str | None = None
    """The header ``Referer`` of every call, without which some installations refuse a change. None for the url's own
    scheme and host; "" for no header."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust instead of the system's."""
    connect_s: float = CONNECT_S
    answer_s: float = ANSWER_S
    whole_s: float = WHOLE_S
    max_body: int = MAX_BODY
    """Most bytes of an answer."""


class QmaticAnswer(NamedTuple):
    """An answer of Qmatic, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def complaint(self) -> Complaint:
        """What it complains of."""
        return complaint_of(self.status, self.headers, self.body)


class BrokenError(aiohttp.ClientError):
    """The connection broke after it was made. aiohttp would repeat the call if it saw its own error."""


class _Sent(NamedTuple):
    """The body of a call, and its media type."""

    body: bytes
    kind: str


class QmaticClient:
    """Calls one installation."""

    def __init__(self, connection: Connection, headers: Mapping[str, str] | None = None) -> None:
        """Call this installation; ``headers`` let every call in instead of the connection's access."""
        self._connection = connection
        self._base = _checked(connection.url)
        self._door = Door(None if headers else connection.access)
        self._more = dict(headers or {})
        self._tls: ssl.SSLContext | bool | None = None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> QmaticAnswer:
        """Return the answer to a GET. Raises LinkError if there is none, or none that can be Orchestra's."""
        answer = await self._call(HTTPMethod.GET, path, query)
        if answer.status in REDIRECT:
            raise LinkError(f"{self._shown(path)} answers with a redirect ({answer.status})", remedy=_LOGIN)
        return answer

    async def get_json(self, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Return the JSON of a GET. Raises RefusedError for an answer that is no success, and LinkError."""
        answer = await self.get(path, query)
        return self.json_of(path, answer)

    async def ask(
        self,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> QmaticAnswer:
        """Return the answer to a POST that changes nothing, such as a search. Raises LinkError."""
        if form is not None:
            sent = _Sent(urlencode(form).encode(), "application/x-www-form-urlencoded")
        else:
            sent = _Sent(json.dumps(body).encode(), "application/json")
        return await self._call(HTTPMethod.POST, path, sent=sent, headers=headers)

    def json_of(self, path: str, answer: QmaticAnswer) -> Any:  # noqa: ANN401 - any JSON
        """Return the JSON of an answer. Raises RefusedError for an answer that is no success, and LinkError."""
        if answer.status not in SUCCESS:
            raise self.refused(path, answer)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            self._door.forgotten()  # a session that ended may give the login page with the status 200
            seen = "a page of HTML" if answer.body.lstrip()[:1] == b"<" else "an answer that is not JSON"
            raise LinkError(f"{self._shown(path)} gives {seen}", remedy=_LOGIN) from None

    async def delete(self, path: str) -> QmaticAnswer:
        """Return the answer to a DELETE, which is written at most once: done (204), or it says that there is nothing.

        Raises RefusedError if it was certainly not carried out, OutcomeUnknownError if it was written and no answer
        says what came of it, and LinkError if it was not written.
        """
        answer = await self._call(HTTPMethod.DELETE, path, changes=True)
        complaint = answer.complaint
        if answer.status == NO_CONTENT or complaint.is_gone:
            return answer
        if answer.status in REFUSAL or complaint.code:
            raise self.refused(path, answer)
        # A redirect, a page, 500 without a code, 502 to 504 of a gateway: Orchestra may have received the call.
        raise OutcomeUnknownError(
            f"{self._shown(path)}: after {complaint.told} the outcome is not known",
            remedy="ask for the appointment, and decide by its status",
        )

    def refused(self, path: str, answer: QmaticAnswer) -> RefusedError:
        """Return the error for an answer that refuses."""
        complaint = answer.complaint
        return RefusedError(
            f"{self._shown(path)}: {complaint.told}",
            code=complaint.code or str(answer.status),
            remedy=_REMEDIES.get(answer.status, "docs/reminders-qmatic.md explains the codes"),
            retry_after_s=_retry_after(answer),
        )

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        sent: _Sent | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = False,
    ) -> QmaticAnswer:
        async def once() -> QmaticAnswer:
            named = {**self._headers(), **(headers or {})}
            return await self._once(method, path, query, sent=sent, headers=named, changes=changes)

        answer = await once()
        refused = answer.status in {UNAUTHORIZED, FORBIDDEN} or (answer.status in REDIRECT and not changes)
        if refused and self._door.forgotten():
            answer = await once()  # Orchestra forgot the session, so it has not looked at the call
        return answer

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        sent: _Sent | None,
        headers: dict[str, str],
        changes: bool,
    ) -> QmaticAnswer:
        url = self._url(path, query)
        progress = _Progress()
        try:
            async with (
                self._session() as session,
                session.request(
                    method,
                    url,
                    data=sent.body if sent else None,
                    headers={**headers, "Content-Type": sent.kind} if sent else headers,
                    allow_redirects=False,
                    trace_request_ctx=progress,
                ) as response,
            ):
                if not changes or response.status in SUCCESS:
                    self._door.admitted({name: one.value for name, one in response.cookies.items()})
                return QmaticAnswer(
                    response.status, response.headers, await _bounded(response, self._connection.max_body)
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise self._failure(path, error, written=changes and progress.is_connected) from error

    def _failure(self, path: str, error: Exception, *, written: bool) -> LinkError:
        reason = "the connection broke" if isinstance(error, BrokenError) else reason_of(error)
        if written:
            return OutcomeUnknownError(
                f"{self._shown(path)}: {reason} after the call was written",
                remedy="ask for the appointment, and decide by its status",
            )
        return LinkError(f"{self._shown(path)}: {reason}", remedy="check the VPN, the url and the certificates")

    def _shown(self, path: str) -> str:
        """Return an address for an error, with long ids shortened: who has one can see the appointment."""
        return self._base + _LONG_ID.sub(lambda found: f"{found[0][:SHOWN_OF_ID]}…", path)

    def _url(self, path: str, query: Mapping[str, str] | None) -> URL:
        asked = f"?{urlencode(query)}" if query else ""
        return URL(f"{self._base}{path}{asked}", encoded=True)

    def _headers(self) -> dict[str, str]:
        referer = self._connection.referer
        if referer is None:
            referer = f"{URL(self._base).origin()}/"
        headers = {"Accept": "application/json", "User-Agent": AGENT, **self._door.headers(), **self._more}
        return {**headers, "Referer": referer} if referer else headers

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        bounds = self._connection
        if self._tls is None:
            self._tls = await asyncio.to_thread(_tls, bounds.ca_file)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=bounds.whole_s, sock_connect=bounds.connect_s, sock_read=bounds.answer_s
            ),
            trace_configs=[_trace()],
            middlewares=(_never_twice,),
            skip_auto_headers=["Content-Type"],
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
        ) as session:
            yield session


class _Progress:
    """How far a call came. From its connection on, it may have been written."""

    __slots__ = ("is_connected",)

    def __init__(self) -> None:
        self.is_connected = False


def _trace() -> aiohttp.TraceConfig:
    async def connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.is_connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


async def _never_twice(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was written, and aiohttp does not repeat it
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenError(type(error).__name__) from error


async def _bounded(response: aiohttp.ClientResponse, max_body: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > max_body:
            raise ValueError("the answer is too large")
    return bytes(body)


def _checked(url: str) -> str:
    """Return a url without a slash at its end. Raises ConfigError without the text, which may hold a password."""
    try:
        parts = URL(url)
    except ValueError:
        parts = URL()
    if parts.scheme not in {"http", "https"} or not parts.host or parts.user or parts.query_string or parts.fragment:
        raise ConfigError(
            "the url of Qmatic is not scheme, host and path, or holds a user",
            remedy="write it as https://qmatic.example.cat, and the user in access",
        )
    return url.rstrip("/")


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(
            f"certificates {ca_file}: {error.strerror or error}", remedy="name a file of certificates in PEM"
        ) from error


def _retry_after(answer: QmaticAnswer) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if answer.status == TOO_MANY and text.isdecimal() and len(text) < 7 else None


_LOGIN: Final = "a login page is in the way: check the url, the way to authenticate and the Referer"
_REMEDIES: Final = {
    UNAUTHORIZED: "check user, password, token or key of this source",
    FORBIDDEN: "check the rights of the user, and the Referer",
    404: "check the path of the API and the id of the office",
    503: "Qmatic's gateway does not reach Orchestra: ask the city",
}
