"""Clients that are not ours use the simulated channels as they use the real ones: pywa, Twilio's library, mockpost."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import aiohttp
import httpx
import pytest
from aiohttp import web
from pywa import WhatsApp
from pywa.errors import ReEngagementMessage, TemplateNotExists, WhatsAppError
from pywa.types import templates as pywa_templates
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.rigs.messaging import NOW, PHONE, REMINDER, Channels, basic, channels
from tests.rigs.script_server import Heard, script_server, serving
from vetlla.gateways.whatsapp.request import body_of
from vetlla.simulator.messaging.faults import SmsFaults, Told, WhatsAppFaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# --- pywa -------------------------------------------------------------------------------------------------------------


class Loopback(httpx.BaseTransport):
    """Sends what is meant for Meta to a simulator: pywa's address is fixed."""

    def __init__(self, url: str) -> None:
        self._port = int(url.rpartition(":")[2])
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@asynccontextmanager
async def pywa_client(rig: Channels) -> AsyncIterator[tuple[Any, list[Any]]]:
    """Run pywa as the city's program: its client, and its handlers behind the webhook. Yield it and what it heard."""
    meta, heard = rig.cloud.account, []
    with httpx.Client(transport=Loopback(rig.cloud.url)) as session:
        client = WhatsApp(
            phone_id=meta.phone_number_id,
            token=meta.token,
            waba_id=meta.business_id,
            session=session,
            server=None,
            verify_token=meta.verify_token,
            app_secret=meta.app_secret,
        )
        for one in ("on_message", "on_callback_button", "on_message_status"):
            getattr(client, one)()(lambda _, update: heard.append(update))

        async def visit(request: web.Request) -> web.Response:
            text, status = client.webhook_challenge_handler(
                request.query.get("hub.verify_token"), request.query.get("hub.challenge")
            )
            return web.Response(status=status, text=text)

        async def hear(request: web.Request) -> web.Response:
            body = await request.read()
            wrong = client.webhook_update_validator(body, request.headers.get("X-Hub-Signature-256"))
            text, status = wrong or await asyncio.to_thread(client.webhook_update_handler, body)
            return web.Response(status=status, text=text)

        async with serving([web.get("/", visit), web.post("/", hear)]) as url:
            assert await rig.cloud.subscribe(f"{url}/")
            yield client, heard


def template_of_pywa(client: Any, **changes: Any) -> Any:  # noqa: ANN401 - pywa's
    wanted = {"name": "cita_recordatori_v1", "language": pywa_templates.TemplateLanguage.CATALAN, **changes}
    return client.send_template(
        to="34600000001",
        params=[
            pywa_templates.BodyText.params("dimarts a les 10.30 h", "a l'OMAC"),
            pywa_templates.QuickReplyButton.params(callback_data="v1.C", index=0),
            pywa_templates.QuickReplyButton.params(callback_data="v1.X", index=1),
        ],
        tracker="out:1",
        **wanted,
    )


async def test_pywa_sends_a_template_and_hears_its_reports_and_the_button() -> None:
    async with channels() as rig, pywa_client(rig) as (client, heard):
        sent = await asyncio.to_thread(template_of_pywa, client)
        await rig.book.settle()
        assert rig.phone.thread[0].text.startswith("Ajuntament de Lleida. Teniu cita dimarts a les 10.30 h, a l'OMAC.")
        rig.cloud.citizens.press(rig.phone, rig.phone.thread[0], 1)
        rig.cloud.citizens.reply(rig.phone, "Gràcies", context=sent.id)
        await rig.book.settle()
        first, second, button, words = heard
        assert [str(one.status.value) for one in (first, second)] == ["sent", "delivered"]
        assert (first.id, first.tracker, first.timestamp) == (sent.id, "out:1", NOW)
        assert (first.from_user.wa_id, first.from_user.bsuid) == ("34600000001", rig.phone.person)
        assert (button.data, button.title, button.reply_to_message.id) == ("v1.X", "Anul·lar la cita", sent.id)
        assert (words.text, words.from_user.name) == ("Gràcies", "Nom Cognom")


async def test_pywa_knows_the_errors_by_its_own_names() -> None:
    async with channels() as rig, pywa_client(rig) as (client, heard):
        with pytest.raises(TemplateNotExists):
            await asyncio.to_thread(template_of_pywa, client, name="cap")
        await asyncio.to_thread(client.send_message, to="34600000001", text="Hola")
        await rig.book.settle()
        assert isinstance(heard[0].error, ReEngagementMessage)
        rig.cloud.faults = WhatsAppFaults(code=131042, told=Told.AT_ONCE)
        with pytest.raises(WhatsAppError) as raised:
            await asyncio.to_thread(client.send_message, to="34600000001", text="Hola")
        assert (raised.value.code, raised.value.status_code) == (131042, 400)


async def test_pywa_reads_the_list_of_templates() -> None:
    async with channels() as rig, pywa_client(rig) as (client, _):
        (found,) = await asyncio.to_thread(lambda: list(client.get_templates()))
        assert (found.name, found.status.value, found.language.value) == ("cita_recordatori_v1", "APPROVED", "ca")
        assert [type(one).__name__ for one in found.components] == ["BodyText", "Buttons"]


# --- Twilio's library -------------------------------------------------------------------------------------------------


class ToLoopback(TwilioHttpClient):  # type: ignore[misc] # the library is not checked
    """Sends what is meant for Twilio to a simulator."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:  # noqa: ANN401 - as there
        return super().request(method, url.replace("https://api.twilio.com", self._url), *rest, **more)


@pytest.fixture
def rest() -> Iterator[list[Client]]:
    """Close the connections of clients."""
    clients: list[Client] = []
    yield clients
    for client in clients:
        client.http_client.session.close()


def client_of(rig: Channels, clients: list[Client]) -> Any:  # noqa: ANN401 - Twilio's
    account = rig.sms.account
    clients.append(Client(account.sid, account.token, http_client=ToLoopback(rig.sms.url)))
    return clients[-1]


async def test_twilios_library_sends_a_message_and_reads_it_again(rest: list[Client]) -> None:
    async with channels() as rig:
        client = client_of(rig, rest)
        form = {"to": PHONE, "from_": rig.sms.account.number, "body": "Anul·leu-la"}
        sent = await asyncio.to_thread(lambda: client.messages.create(**form))
        assert (sent.status, sent.num_segments, sent.direction, sent.error_code) == (
            "queued",
            "1",
            "outbound-api",
            None,
        )
        assert isinstance(sent.date_created, datetime)
        await rig.book.settle()
        again = await asyncio.to_thread(lambda: client.messages(sent.sid).fetch())
        assert (again.status, again.body, again.to) == ("delivered", "Anul·leu-la", PHONE)
        assert [one.sid for one in await asyncio.to_thread(client.messages.list)] == [sent.sid]


async def test_twilios_library_knows_the_errors(rest: list[Client]) -> None:
    async with channels(sms=SmsFaults(code=21610, told=Told.AT_ONCE)) as rig:
        client = client_of(rig, rest)
        form = {"to": PHONE, "from_": rig.sms.account.number, "body": "x"}
        with pytest.raises(TwilioRestException) as raised:
            await asyncio.to_thread(lambda: client.messages.create(**form))
        assert (raised.value.code, raised.value.status) == (21610, 400)


async def test_twilios_validator_takes_the_signatures_of_reports_and_of_replies() -> None:
    async with channels() as rig, script_server() as server:
        rig.sms.incoming_url = f"{server.url}/in?a=1"
        account = rig.sms.account
        form = {
            "To": PHONE,
            "From": account.number,
            "Body": "x",
            "StatusCallback": f"{server.url}/st?reference=out%3A1",
        }
        url = f"{rig.sms.url}/2010-04-01/Accounts/{account.sid}/Messages.json"
        headers = basic(account.sid, account.token)
        async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as answer:
            assert answer.status == 201
        await rig.book.settle()
        rig.sms.reply(rig.phone, "Sí, vindré & gràcies")
        await rig.book.settle()
        addresses = [f"{server.url}/st?reference=out%3A1"] * 2 + [f"{server.url}/in?a=1"]
        assert len(server.heard) == 3
        for address, heard in zip(addresses, server.heard, strict=True):
            fields = dict(parse_qsl(heard.body.decode(), keep_blank_values=True))
            signature = heard.headers["X-Twilio-Signature"]
            assert RequestValidator(account.token).validate(address, fields, signature)
            assert not RequestValidator("another").validate(address, fields, signature)
            assert not RequestValidator(account.token).validate(address, {**fields, "Body": "no"}, signature)


# --- mockpost ---------------------------------------------------------------------------------------------------------


def kinds(value: object) -> object:
    """Return names and kinds of a JSON value."""
    match value:
        case dict():
            return {name: kinds(one) for name, one in value.items()}
        case list():
            return [kinds(one) for one in value]
    return "null" if value is None else type(value).__name__


def lacking(wanted: Any, held: Any, where: str = "") -> list[str]:  # noqa: ANN401 - any kinds
    """Return the places of one value that another one has not, or has in another kind. ``null`` may be any kind."""
    if isinstance(wanted, dict) and isinstance(held, dict):
        found = []
        for name, one in wanted.items():
            found += lacking(one, held[name], f"{where}.{name}") if name in held else [f"{where}.{name}"]
        return found
    if isinstance(wanted, list) and isinstance(held, list):
        assert len(wanted) == len(held) == 1
        return lacking(wanted[0], held[0], f"{where}[]")
    return [] if wanted == held or "null" in {wanted, held} else [f"{where}: {held} is not {wanted}"]


@asynccontextmanager
async def heard_by_both(mockpost: str, rig: Channels) -> AsyncIterator[tuple[aiohttp.ClientSession, list[list[Heard]]]]:
    """Let both emulators call an address. Yield a client for mockpost, and what each called."""
    async with aiohttp.ClientSession() as client, script_server() as theirs, script_server() as ours:
        async with client.post(f"{mockpost}/api/apps", json={"name": "kinds"}) as answer:
            app = await answer.json()
        client.headers["X-MockPost-App"] = app["name"]
        hook = {"channel": "whatsapp", "target_url": theirs.url, "app_id": app["id"]}
        async with client.post(f"{mockpost}/api/webhooks", json=hook) as answer:
            assert answer.ok
        ours.answer = lambda heard: web.Response(text=heard.query.get("hub.challenge", ""))
        assert await rig.cloud.subscribe(f"{ours.url}/")
        ours.heard.clear()
        yield client, [theirs.heard, ours.heard]


async def test_whatsapps_calls_and_deliveries_have_all_that_mockpost_has(mockpost: str) -> None:
    """The same calls to both. Ours has more: signatures, names, prices, and Meta's own form of times."""
    async with channels() as rig, heard_by_both(mockpost, rig) as (client, (theirs, ours)):
        answers = []
        meta = rig.cloud.account
        body = body_of(replace(REMINDER, reference=""), {})
        for url in (f"{mockpost}/whatsapp", rig.cloud.url):
            whole = f"{url}/v26.0/{meta.phone_number_id}/messages"
            for headers in ({"Authorization": f"Bearer {meta.token}"}, {}):
                async with client.post(whole, json=body, headers=headers) as answer:
                    answers.append((answer.status, kinds(await answer.json()), (await answer.json()).get("error")))
        good, refused, our_good, our_refused = answers
        assert (good[0], refused[0]) == (our_good[0], our_refused[0])
        assert lacking(good[1], our_good[1]) == lacking(refused[1], our_refused[1]) == []
        assert refused[2]["message"] == our_refused[2]["message"]
        await rig.book.settle()
        status = {"message_id": "wamid.1", "status": "sent", "recipient_id": "34600000001"}
        async with client.post(f"{mockpost}/whatsapp/simulate/status", json=status) as answer:
            assert answer.ok
        words = {"from": "34600000001", "text": "Sí", "name": "Nom"}
        async with client.post(f"{mockpost}/whatsapp/simulate/incoming", json=words) as answer:
            assert answer.ok
        rig.cloud.citizens.reply(rig.phone, "Sí")
        await rig.book.settle()
        our_status, _, our_words = (kinds(json.loads(one.body)) for one in ours)
        their_status, their_words = (kinds(json.loads(one.body)) for one in theirs)
        assert lacking(their_status, our_status) == lacking(their_words, our_words) == []


async def test_twilios_calls_and_reports_have_all_that_mockpost_has(mockpost: str) -> None:
    """The same calls to both, with the same kinds of values in answers, errors and reports."""
    async with channels() as rig, script_server() as server, aiohttp.ClientSession() as client:
        account = rig.sms.account
        found = []
        for url in (f"{mockpost}/twilio", rig.sms.url):
            whole = f"{url}/2010-04-01/Accounts/{account.sid}/Messages.json"
            form = {"To": PHONE, "From": account.number, "Body": "Sí", "StatusCallback": f"{server.url}/"}
            headers = basic(account.sid, account.token)
            async with client.post(whole, data=form, headers=headers) as answer:
                told = await answer.json()
            async with client.get(whole.replace(".json", f"/{told['sid']}.json"), headers=headers) as answer:
                again = kinds(await answer.json())
            async with client.post(whole, data={"From": account.number, "Body": "x"}, headers=headers) as answer:
                refused = await answer.json()
            async with client.post(whole, data=form) as answer:
                stranger = await answer.json()
            await rig.book.settle()
            report = dict(parse_qsl(server.heard[-1].body.decode()))
            found.append((kinds(told), again, refused, stranger, report))
        theirs, ours = found
        for wanted, held in zip(theirs, ours, strict=True):
            assert lacking(kinds(wanted), kinds(held)) == []
        assert theirs[2]["code"] == ours[2]["code"] == 21604
        assert theirs[3] == ours[3]
        assert theirs[4]["MessageStatus"] == ours[4]["MessageStatus"] == "delivered"
