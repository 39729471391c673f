"""Messages reach an emulator of WhatsApp that is not ours, and its webhooks are read."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tests.rigs.script_server import Heard, ScriptServer, script_server
from vetlla.domain.errors import LinkError
from vetlla.domain.messages import Channel, Delivery, Outgoing, ReplyKind
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.http import HttpCaller
from vetlla.gateways.whatsapp.gateway import WhatsAppAccount, WhatsAppGateway
from vetlla.gateways.whatsapp.templates import TemplateState
from vetlla.gateways.whatsapp.webhook import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NUMBER = "106540352242922"
REMINDER = Outgoing(
    reference="out:01J",
    phone="+34600000001",
    template="recordatori_cita_v3",
    parameters=("10:30",),
    buttons=("v1.C.t", "v1.X.t"),
)


@asynccontextmanager
async def gateway(url: str, token: str = "token") -> AsyncIterator[WhatsAppGateway]:
    http = HttpCaller()
    try:
        account = WhatsAppAccount(phone_number_id=NUMBER, token=token, base_url=url, business_id="1029")
        yield WhatsAppGateway("whatsapp", account, http)
    finally:
        await http.close()


@asynccontextmanager
async def registered(mockpost: str) -> AsyncIterator[tuple[aiohttp.ClientSession, ScriptServer]]:
    """Register our webhook with the emulator."""
    async with aiohttp.ClientSession() as client, script_server() as server:
        app = {"name": f"omac{server.url.rpartition(':')[2]}"}
        async with client.post(f"{mockpost}/api/apps", json=app) as answer:
            assert answer.ok, await answer.text()
            app = await answer.json()
        hook = {"channel": "whatsapp", "target_url": server.url, "app_id": app["id"]}
        async with client.post(
            f"{mockpost}/api/webhooks", json=hook, headers={"X-MockPost-App": app["name"]}
        ) as answer:
            assert answer.ok, await answer.text()
        client.headers["X-MockPost-App"] = app["name"]
        yield client, server


async def test_the_emulator_accepts_a_template(mockpost: str) -> None:
    """It gives the message an id of WhatsApp's form."""
    async with gateway(f"{mockpost}/whatsapp") as channel:
        assert channel.channel is Channel.WHATSAPP
        accepted = await channel.send(REMINDER)
    assert accepted.provider_id.startswith("wamid.")
    assert not accepted.held


async def test_the_emulator_accepts_free_text(mockpost: str) -> None:
    """Inside the window of 24 hours an answer is free text."""
    async with gateway(f"{mockpost}/whatsapp") as channel:
        answer = Outgoing(reference="r", phone="+34600000001", text="Cita anul·lada.", context="wamid.IN1")
        assert (await channel.send(answer)).provider_id.startswith("wamid.")


async def test_the_emulator_refuses_a_call_without_a_token(mockpost: str) -> None:
    """The code is Meta's for a token that is none."""
    async with gateway(f"{mockpost}/whatsapp", token="") as channel:
        with pytest.raises(RefusedError) as raised:
            await channel.send(REMINDER)
    assert raised.value.code == "190"


async def test_a_status_of_the_emulator_is_read(mockpost: str) -> None:
    """The webhook comes from a program that is not ours, over HTTP."""
    async with gateway(f"{mockpost}/whatsapp") as channel, registered(mockpost) as (client, server):
        accepted = await channel.send(REMINDER)
        status = {"message_id": accepted.provider_id, "status": "delivered", "recipient_id": "34600000001"}
        async with client.post(f"{mockpost}/whatsapp/simulate/status", json=status) as answer:
            assert (await answer.json())["webhooks_delivered"], await answer.text()
    (heard,) = server.heard
    (report,) = read(heard.body, NOW).reports
    assert (report.provider_id, report.delivery) == (accepted.provider_id, Delivery.DELIVERED)
    assert report.phone == "+34600000001"
    assert report.at != NOW, "the emulator's own time, in ISO 8601"


async def test_a_reply_of_the_emulator_is_read(mockpost: str) -> None:
    """A citizen's words, with letters that JSON escapes."""
    async with registered(mockpost) as (client, server):
        reply = {"from": "34600000001", "text": "Anul·leu-la, si us plau", "name": "Nom Cognom"}
        async with client.post(f"{mockpost}/whatsapp/simulate/incoming", json=reply) as answer:
            assert (await answer.json())["webhooks_delivered"], await answer.text()
    (heard,) = server.heard
    (read_reply,) = read(heard.body, NOW).replies
    assert (read_reply.kind, read_reply.text) == (ReplyKind.TEXT, "Anul·leu-la, si us plau")
    assert read_reply.phone == "+34600000001"


async def test_a_call_has_the_version_the_number_and_the_token() -> None:
    """The address is that of Meta's reference."""
    async with script_server() as server, gateway(server.url) as channel:
        server.answer = lambda _: web.json_response({"messages": [{"id": "wamid.1"}]})
        await channel.send(REMINDER)
        (heard,) = server.heard
    assert (heard.method, heard.path) == ("POST", f"/v26.0/{NUMBER}/messages")
    assert heard.headers["Authorization"] == "Bearer token"
    assert heard.headers["Content-Type"] == "application/json"


async def test_a_message_that_was_written_and_not_answered_has_an_unknown_outcome() -> None:
    """A second call could send a second message."""
    async with script_server() as server, gateway(server.url) as channel:
        server.answer = lambda _: None
        with pytest.raises(OutcomeUnknownError):
            await channel.send(REMINDER)
        assert len(server.heard) == 1


async def test_all_pages_of_the_templates_are_read() -> None:
    """A template that stands on the second page is not missing."""

    def page(heard: Heard) -> web.Response:
        if "after" not in heard.query:
            first = {"name": "cita", "language": "ca", "status": "APPROVED", "category": "UTILITY"}
            return web.json_response({"data": [first], "paging": {"cursors": {"after": "QW"}, "next": "https://x"}})
        second = {
            "name": "cita",
            "language": "es",
            "status": "REJECTED",
            "category": "UTILITY",
            "message_send_ttl_seconds": 43200,
            "rejected_reason": "INVALID_FORMAT",
        }
        return web.json_response({"data": [second, 7], "paging": {"cursors": {"after": "QX"}}})

    async with script_server() as server, gateway(server.url) as channel:
        server.answer = page
        assert await channel.templates() == [
            TemplateState("cita", "ca", "APPROVED", "UTILITY", None, ""),
            TemplateState("cita", "es", "REJECTED", "UTILITY", 43200, "INVALID_FORMAT"),
        ]


async def test_a_list_of_templates_that_does_not_end_is_an_error() -> None:
    """A cursor that leads to itself would be followed for ever."""
    async with script_server() as server, gateway(server.url) as channel:
        page = {"data": [], "paging": {"cursors": {"after": "QW"}, "next": "https://x"}}
        server.answer = lambda _: web.json_response(page)
        with pytest.raises(RefusedError, match="does not end"):
            await channel.templates()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"code": 190, "message": "Error validating access token"}}, RefusedError),
        (404, "not here", RefusedError),
        (200, {"messages": [{"id": "wamid.1"}]}, LinkError),
        (502, "x", LinkError),
    ],
)
async def test_templates_that_cannot_be_listed_are_an_error(status: int, body: object, kind: type[LinkError]) -> None:
    """And not an empty list, with which each text would seem not to be approved."""
    async with script_server() as server, gateway(server.url) as channel:
        server.answer = lambda _: web.json_response(body, status=status)
        with pytest.raises(kind):
            await channel.templates()


async def test_the_token_is_not_shown() -> None:
    """An account can be logged."""
    assert "geheim" not in repr(WhatsAppAccount(phone_number_id=NUMBER, token="geheim"))
