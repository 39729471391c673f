"""A call is written at most once, and its error says whether it was written."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bench.killing.receiver import free_port
from tests.rigs.script_server import script_server
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import OutcomeUnknownError
from vetlla.gateways.http import ANSWER_BYTES, Answer, HttpCaller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def caller(**bounds: float) -> AsyncIterator[HttpCaller]:
    http = HttpCaller(**bounds)  # type: ignore[arg-type] # bounds are named by the test
    try:
        yield http
    finally:
        await http.close()


async def test_a_refused_connection_sent_nothing() -> None:
    """No server listens, so the call may be tried again."""
    async with caller() as http:
        with pytest.raises(LinkError, match="nothing was sent") as raised:
            await http.call("POST", f"http://127.0.0.1:{free_port()}/x", body={})
    assert not isinstance(raised.value, OutcomeUnknownError)


async def test_an_unknown_name_sent_nothing() -> None:
    """The name of the server cannot be found."""
    async with caller() as http:
        with pytest.raises(LinkError, match="nothing was sent") as raised:
            await http.call("POST", "http://no-such-host.invalid/x", body={})
    assert not isinstance(raised.value, OutcomeUnknownError)


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
async def test_a_connection_closed_without_an_answer_leaves_the_outcome_unknown(method: str) -> None:
    """The request was written once. aiohttp by itself would write a GET, PUT or DELETE a second time."""
    async with script_server() as server, caller() as http:
        server.answer = lambda _: None
        with pytest.raises(OutcomeUnknownError, match="may have been carried out"):
            await http.call(method, f"{server.url}/send", query={"to": "34600000001"})
        assert len(server.heard) == 1


async def test_a_kept_connection_that_ends_under_a_call_leaves_the_outcome_unknown() -> None:
    """The second call uses the first one's connection, and is written once too."""
    async with script_server() as server, caller() as http:
        await http.call("GET", f"{server.url}/first")
        server.answer = lambda _: None
        with pytest.raises(OutcomeUnknownError):
            await http.call("GET", f"{server.url}/second")
        assert [heard.path for heard in server.heard] == ["/first", "/second"]


async def test_a_server_that_does_not_answer_in_time_leaves_the_outcome_unknown() -> None:
    """The server has the request, and goes on working on it."""

    async def late(_: object) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with script_server() as server, caller(answer_s=0.2) as http:
        server.answer = late
        with pytest.raises(OutcomeUnknownError, match="did not answer in time"):
            await http.call("POST", server.url, form={"a": "b"})


async def test_a_redirection_is_not_followed() -> None:
    """A send is not repeated at another address."""
    async with script_server() as server, caller() as http:
        server.answer = lambda _: web.Response(status=307, headers={"Location": "/other"})
        assert (await http.call("POST", server.url, body={})).status == 307
        assert len(server.heard) == 1


async def test_an_endless_answer_is_cut() -> None:
    """Memory stays bounded, and the rest is no JSON."""
    async with script_server() as server, caller() as http:
        server.answer = lambda _: web.Response(body=b"[" + b"1," * ANSWER_BYTES)
        answer = await http.call("GET", server.url)
        assert len(answer.body) == ANSWER_BYTES
        assert answer.json() is None


async def test_an_error_tells_neither_number_nor_password() -> None:
    """Gateways of the GET kind have both in the address."""
    async with script_server() as server, caller() as http:
        server.answer = lambda _: None
        address = server.url.replace("http://", "http://user:secret@")
        with pytest.raises(OutcomeUnknownError) as raised:
            await http.call("GET", f"{address}/send", query={"to": "34600000001", "password": "secret"})
    assert "secret" not in str(raised.value)
    assert "34600000001" not in str(raised.value)


async def test_an_unknown_certificate_sends_nothing(tmp_path: object) -> None:
    """A server without TLS, or with an unknown certificate, gets no request."""
    async with script_server() as server, caller() as http:
        with pytest.raises(LinkError, match="nothing was sent") as raised:
            await http.call("POST", server.url.replace("http://", "https://"), body={})
        assert not isinstance(raised.value, OutcomeUnknownError)
        assert server.heard == []
    assert ssl.OPENSSL_VERSION  # the platform has TLS at all


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": "Tue, 24 Nov 2026 10:01:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 60.0),
        ({"Retry-After": "Tue, 24 Nov 2026 09:00:00 GMT", "Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_in_both_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    """RFC 9110 allows seconds and a date."""
    assert Answer(429, headers, b"").retry_after_s == seconds
