"""Qmatic Experience Cloud, against a server that answers as its public pages show."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tests.rigs.qmatic import recorded
from vetlla.domain.appointments import AppointmentKey, AppointmentStatus
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import CancelOutcome, OutcomeUnknownError, RefusedError
from vetlla.gateways.qmatic.access import Basic
from vetlla.gateways.qmatic.client import Connection
from vetlla.gateways.qmatic.cloud import CloudSettings, QmaticCloud

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DAY = date(2026, 11, 24)
SEARCH = '{"branch": {"id": "{office}"}, "from": "{first}", "to": "{last}"}'
ROW = recorded("cloud-search")["body"][0]
OFFICE, ID = ROW["branch"]["id"], ROW["appointmentId"]


class Cloud:
    """An identity server and the API behind it."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [ROW]
        self.tokens = 0
        self.searches: list[Any] = []
        self.deletes = 0
        self.breaks = False
        self.port = 0
        self.lasts: object = 3600

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        expected = "Basic " + b64encode(b"client:secret").decode()
        if request.headers.get("Authorization") != expected or request.headers.get("X-ACCOUNT") != "paeria":
            return web.json_response({"error": "invalid_client"}, status=401)
        assert form["grant_type"] == "client_credentials"
        assert "external.appointment.cancel" in str(form["scope"])
        self.tokens += 1
        return web.json_response(
            {"access_token": f"token-{self.tokens}", "expires_in": self.lasts, "token_type": "Bearer"}
        )

    def admit(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer token-{self.tokens}":
            raise web.HTTPUnauthorized

    async def search(self, request: web.Request) -> web.Response:
        self.admit(request)
        self.searches.append(await request.json())
        return web.json_response(self.rows)

    async def one(self, request: web.Request) -> web.Response:
        self.admit(request)
        row = next((one for one in self.rows if one["appointmentId"] == request.match_info["id"]), None)
        return web.json_response(row) if row else web.Response(status=404)

    async def delete(self, request: web.Request) -> web.Response:
        self.admit(request)
        self.deletes += 1
        found = [one for one in self.rows if one["appointmentId"] != request.match_info["id"]]
        is_gone = len(found) == len(self.rows)
        self.rows = found
        if self.breaks and request.transport:
            request.transport.abort()
        return web.Response(status=404 if is_gone else 204)


@asynccontextmanager
async def cloud() -> AsyncIterator[Cloud]:
    server = Cloud()
    app = web.Application()
    app.add_routes(
        [
            web.post("/oauth2/token", server.token),
            web.post("/appointments/search", server.search),
            web.get("/appointments/{id}", server.one),
            web.delete("/appointments/{id}", server.delete),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def source(server: Cloud, *, secret: str = "secret", search: str = SEARCH, account: str = "paeria") -> QmaticCloud:
    connection = Connection(url=f"http://127.0.0.1:{server.port}", access=Basic("client", secret))
    return QmaticCloud(CloudSettings(name="cloud", connection=connection, account=account, search=search))


async def test_a_search_gives_the_appointments_of_a_branch() -> None:
    async with cloud() as server:
        reader = source(server)
        found = await reader.poll(OFFICE, DAY, DAY)
        (one,) = found.appointments
        assert (found.is_complete, one.key, one.office) == (True, ("cloud", ID), OFFICE)
        assert one.start == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
        assert (one.status, one.phone) == (AppointmentStatus.CREATED, "+34600000001")
        assert one.services[0].name == "Alta al padró"
        assert server.searches == [{"branch": {"id": OFFICE}, "from": "2026-11-24", "to": "2026-11-24"}]
        assert await reader.get(one.key) == one
        assert server.tokens == 1


async def test_a_search_by_office_has_no_default() -> None:
    """The public pages show a search by a citizen's identifier alone."""
    async with cloud() as server:
        with pytest.raises(LinkError, match="no search by office is set"):
            await source(server, search="").poll(OFFICE, DAY, DAY)


async def test_a_token_that_was_refused_is_replaced_at_the_next_call() -> None:
    async with cloud() as server:
        reader = source(server)
        await reader.poll(OFFICE, DAY, DAY)
        server.tokens += 1  # the identity server ended the session
        with pytest.raises(RefusedError):
            await reader.poll(OFFICE, DAY, DAY)
        assert (await reader.poll(OFFICE, DAY, DAY)).is_complete


async def test_a_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cloud() as server:
        reader = source(server)
        await reader.poll(OFFICE, DAY, DAY)
        monkeypatch.setattr(reader, "_until", 0.0)
        await reader.poll(OFFICE, DAY, DAY)
        assert server.tokens == 2


@pytest.mark.parametrize("changed", [{"secret": "wrong"}, {"account": "wrong"}])
async def test_wrong_credentials_are_refused_and_not_told(changed: dict[str, str]) -> None:
    async with cloud() as server:
        with pytest.raises(RefusedError) as caught:
            await source(server, **changed).poll(OFFICE, DAY, DAY)
        assert caught.value.code == "401"


async def test_a_cancellation_is_one_delete_and_the_second_one_is_gone() -> None:
    async with cloud() as server:
        reader, key = source(server), AppointmentKey("cloud", ID)
        assert await reader.cancel(key) is CancelOutcome.DONE
        assert await reader.cancel(key) is CancelOutcome.GONE
        assert await reader.get(key) is None
        assert server.deletes == 2


async def test_a_broken_connection_leaves_the_outcome_unknown() -> None:
    async with cloud() as server:
        server.breaks = True
        with pytest.raises(OutcomeUnknownError):
            await source(server).cancel(AppointmentKey("cloud", ID))
        assert server.deletes == 1


@pytest.mark.parametrize(
    "change",
    [{"timeSlot": None}, {"timeSlot": {"startTime": "soon"}}, {"appointmentId": "../x"}, {"branch": {}}],
)
async def test_a_row_that_cannot_be_read_is_a_fault(change: dict[str, Any]) -> None:
    async with cloud() as server:
        server.rows = [ROW, {**json.loads(json.dumps(ROW)), **change}]
        found = await source(server).poll(OFFICE, DAY, DAY)
        assert (len(found.appointments), found.is_complete, len(found.faults)) == (1, False, 1)
