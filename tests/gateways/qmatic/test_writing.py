"""What is sent: TLS with the city's authority, the headers, the query, and each call once."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs.certificates import Authority
from tests.rigs.qmatic import TOMORROW, WEEK
from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.qmatic.client import Connection
from vetlla.gateways.qmatic.orchestra_calendar import CalendarSettings, OrchestraCalendar
from vetlla.gateways.qmatic.orchestra_queue import OrchestraQueue, QueueSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
KEY = AppointmentKey("omac", "a1")


class Wire:
    """A server that keeps what it was sent, and answers with these bytes; without any, it closes the connection."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def wire(answer: bytes = EMPTY, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    made = Wire(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def calendar(url: str, ca_file: Path | None = None, referer: str | None = None) -> OrchestraCalendar:
    connection = Connection(url=url, ca_file=ca_file, referer=referer, answer_s=2.0)
    return OrchestraCalendar(CalendarSettings(name="omac", connection=connection))


async def test_the_authority_of_the_settings_is_trusted_and_no_other(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path / "one"), Authority(tmp_path / "other")
    pair = authority.issue("qmatic")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    async with wire(tls=tls) as made:
        url = f"https://127.0.0.1:{made.port}"
        with pytest.raises(LinkError, match="without appointmentList"):  # the call was answered
            await calendar(url, authority.certificate).poll("1", TOMORROW, WEEK)
        for ca_file in (other.certificate, None):
            with pytest.raises(LinkError, match="its certificate was not accepted"):
                await calendar(url, ca_file).poll("1", TOMORROW, WEEK)
            with pytest.raises(LinkError, match="its certificate was not accepted") as caught:
                await calendar(url, ca_file).cancel(KEY)
            assert not isinstance(caught.value, OutcomeUnknownError | RefusedError)
        assert len(made.requests) == 1


async def test_a_poll_of_the_calendar_asks_as_public_clients_do() -> None:
    async with wire() as made:
        with pytest.raises(LinkError):
            await calendar(f"http://127.0.0.1:{made.port}").poll("1", TOMORROW, WEEK)
        line, *headers = made.requests[0].split("\r\n")
        assert line == (
            "GET /calendar-backend/api/v1/appointments?branch=1&start=2026-11-24T00%3A00&end=2026-11-30T23%3A59"
            "&timeZoneBranchId=1 HTTP/1.1"
        )
        assert f"Referer: http://127.0.0.1:{made.port}/" in headers
        assert "Accept: application/json" in headers
        assert not [one for one in headers if one.lower().startswith(("cookie", "authorization", "content-type"))]


async def test_a_poll_of_the_queue_side_asks_for_one_day_more() -> None:
    async with wire() as made:
        connection = Connection(url=f"http://127.0.0.1:{made.port}/tac/", referer="https://other.example/")
        source = OrchestraQueue(QueueSettings(name="omac", connection=connection))
        assert (await source.poll("1", TOMORROW, TOMORROW)).is_complete
        line, *headers = made.requests[0].split("\r\n")
        assert line == (
            "GET /tac/rest/appointment/appointments/search?branchId=1&fromDate=2026-11-24&toDate=2026-11-25 HTTP/1.1"
        )
        assert "Referer: https://other.example/" in headers


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 204",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 204 No Content\r\nX: " + b"x" * 40_000,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
)
async def test_a_delete_whose_answer_cannot_be_read_is_written_once_and_has_an_unknown_outcome(answer: bytes) -> None:
    """The library for HTTP would write it again by itself, because it holds a DELETE to be harmless."""
    async with wire(answer) as made:
        with pytest.raises(OutcomeUnknownError):
            await calendar(f"http://127.0.0.1:{made.port}").cancel(KEY)
        assert [one.split()[0] for one in made.requests] == ["DELETE"]


async def test_a_get_whose_connection_breaks_is_not_repeated_either() -> None:
    async with wire(b"") as made:
        with pytest.raises(LinkError, match="the connection broke"):
            await calendar(f"http://127.0.0.1:{made.port}").get(KEY)
        assert len(made.requests) == 1


async def test_a_delete_that_is_answered_is_done_and_says_its_path() -> None:
    async with wire(b"HTTP/1.1 204 No Content\r\n\r\n") as made:
        assert await calendar(f"http://127.0.0.1:{made.port}").cancel(KEY) == "done"
        assert made.requests[0].startswith("DELETE /calendar-backend/public/api/v1/appointments/a1 HTTP/1.1\r\n")
