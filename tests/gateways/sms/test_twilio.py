"""An SMS by a gateway of Twilio's shape: its answer, its reports, its replies and its signature."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hmac import digest
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from tests.rigs.script_server import script_server, serving
from vetlla.domain.failures import FailureAction
from vetlla.domain.messages import Channel, Delivery, Outgoing, ReplyKind
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.http import Answer, HttpCaller
from vetlla.gateways.sms.twilio import TwilioAccount, TwilioGateway, accepted_of, failure_table, is_signed, read
from vetlla.gateways.sms.twilio_endpoint import TwilioEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vetlla.gateways.received import Received

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REMINDER = Outgoing(reference="out:01J", phone="+34600000001", text="Cita 24/11 a les 10:30 a l'OMAC. Anul·lar: 2")


@asynccontextmanager
async def gateway(url: str, **parts: str) -> AsyncIterator[TwilioGateway]:
    http = HttpCaller()
    try:
        account = TwilioAccount(sid="AC1", token="secret", base_url=url, **{"sender": "+34600000099", **parts})
        yield TwilioGateway("sms", account, http)
    finally:
        await http.close()


async def test_the_emulator_takes_a_message_and_reports_its_delivery(mockpost: str) -> None:
    """The emulator is not ours. It calls the address that the message names."""
    async with script_server() as server:
        async with gateway(f"{mockpost}/twilio", callback_url=f"{server.url}/sms") as channel:
            assert channel.channel is Channel.SMS
            accepted = await channel.send(REMINDER)
        (heard,) = server.heard
    assert accepted.provider_id.startswith("SM")
    (report,) = read(heard.body, NOW, reference=heard.query["reference"]).reports
    assert (report.provider_id, report.delivery) == (accepted.provider_id, Delivery.DELIVERED)
    assert (report.reference, report.phone, report.at) == ("out:01J", "+34600000001", NOW)


async def test_the_emulator_keeps_the_letters_of_the_text(mockpost: str) -> None:
    """The flying point and the accents arrive."""
    async with gateway(f"{mockpost}/twilio") as channel:
        accepted = await channel.send(REMINDER)
    async with aiohttp.ClientSession() as client, client.get(f"{mockpost}/api/messages") as answer:
        text = json.dumps(await answer.json(), ensure_ascii=False)
    assert accepted.provider_id in text
    assert "Anul·lar: 2" in text


async def test_the_form_has_what_the_gateway_needs() -> None:
    """The time in which the message is useful becomes its validity."""
    async with script_server() as server, gateway(server.url, callback_url="https://x/sms?a=1") as channel:
        server.answer = lambda _: web.json_response({"sid": "SM1", "status": "queued"}, status=201)
        await channel.send(Outgoing(reference="out:1", phone="+34600000001", text="ç", useful_s=90_000))
        (heard,) = server.heard
    assert heard.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert heard.headers["Authorization"] == f"Basic {b64encode(b'AC1:secret').decode()}"
    assert dict(parse_qsl(heard.body.decode())) == {
        "To": "+34600000001",
        "From": "+34600000099",
        "Body": "ç",
        "StatusCallback": "https://x/sms?a=1&reference=out%3A1",
        "ValidityPeriod": "36000",
    }


async def test_a_messaging_service_takes_the_place_of_the_sender() -> None:
    """The gateway chooses the number."""
    async with script_server() as server, gateway(server.url, service="MG1", sender="") as channel:
        server.answer = lambda _: web.json_response({"sid": "SM1"}, status=201)
        await channel.send(REMINDER)
        (heard,) = server.heard
    form = dict(parse_qsl(heard.body.decode()))
    assert form["MessagingServiceSid"] == "MG1"
    assert "From" not in form


@pytest.mark.parametrize(("phone", "text"), [("", "x"), ("ES.1", "x"), ("+34600000001", "")])
async def test_a_message_that_cannot_be_an_sms_is_not_sent(phone: str, text: str) -> None:
    """It has no number, or no text."""
    async with script_server() as server, gateway(server.url) as channel:
        with pytest.raises(RefusedError):
            await channel.send(Outgoing(reference="r", phone=phone, text=text))
        assert server.heard == []


def answer(status: int, body: object) -> Answer:
    return Answer(status, {"Retry-After": "3"}, json.dumps(body).encode())


def test_a_refusal_has_the_code_of_the_gateway_and_no_number() -> None:
    """21610: the person told the gateway to stop."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(400, {"code": 21610, "message": "Attempt to send to +34600000001", "status": 400}))
    assert (raised.value.code, raised.value.retry_after_s) == ("21610", 3.0)
    assert "34600000001" not in str(raised.value)


def test_a_message_that_failed_at_once_is_refused() -> None:
    """Its answer has success and the status ``failed``."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(201, {"sid": "SM1", "status": "failed", "error_code": 30006}))
    assert raised.value.code == "30006"


@pytest.mark.parametrize(("status", "body"), [(500, {"code": 20500}), (502, "x"), (504, "x"), (201, {}), (200, [])])
def test_an_answer_that_tells_nothing_leaves_the_outcome_unknown(status: int, body: object) -> None:
    """A server failed, or a success has no id."""
    with pytest.raises(OutcomeUnknownError):
        accepted_of(answer(status, body))


def test_a_gateway_that_is_not_available_did_not_take_the_message() -> None:
    """Status 503 asks for another call."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(503, "x"))
    assert raised.value.code == "HTTP-503"
    assert failure_table().rule("HTTP-503").action is FailureAction.BACK_OFF


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


@pytest.mark.parametrize(
    ("word", "delivery"),
    [
        ("accepted", Delivery.ACCEPTED),
        ("scheduled", Delivery.ACCEPTED),
        ("queued", Delivery.ACCEPTED),
        ("sending", Delivery.ACCEPTED),
        ("sent", Delivery.SENT),
        ("delivered", Delivery.DELIVERED),
        ("read", Delivery.READ),
        ("undelivered", Delivery.FAILED),
        ("failed", Delivery.FAILED),
        ("canceled", Delivery.FAILED),
    ],
)
def test_each_status_is_read(word: str, delivery: Delivery) -> None:
    """The reason of a failure comes with it."""
    body = form(MessageSid="SM1", MessageStatus=word, To="+34600000001", ErrorCode="30006")
    (report,) = read(body, NOW).reports
    assert (report.delivery, report.code) == (delivery, "30006")


def test_a_reply_is_read() -> None:
    """Words in any letters."""
    body = form(MessageSid="SM9", SmsStatus="received", From="+34600000001", To="+34600000099", Body="Anul·leu-la")
    (reply,) = read(body, NOW).replies
    assert (reply.provider_id, reply.phone, reply.text) == ("SM9", "+34600000001", "Anul·leu-la")
    assert (reply.kind, reply.channel) == (ReplyKind.TEXT, Channel.SMS)


def test_a_picture_without_words_is_no_text() -> None:
    """It has no word to understand."""
    (reply,) = read(form(MessageSid="MM9", From="+34600000001", Body="", NumMedia="1"), NOW).replies
    assert reply.kind is ReplyKind.OTHER


@pytest.mark.parametrize("given", ["Movistar", "22770", "", "+12"])
def test_a_sender_that_cannot_be_answered_is_kept_and_no_reply(given: str) -> None:
    """An automatic answer to an automatic sender has no end."""
    received = read(form(MessageSid="SM9", From=given, Body="STOP"), NOW)
    assert received.replies == ()
    assert received.unread[0].reason == "the sender cannot be answered"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"MessageSid=SM1&MessageStatus=teleported", b"a=b", b"&&&="])
def test_what_is_neither_report_nor_reply_is_kept(body: bytes) -> None:
    """It was signed, so a person should see it."""
    assert len(read(body, NOW).unread) == 1


@pytest.mark.parametrize(
    ("caller", "signature"),
    [("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")],
)
def test_the_signatures_of_twilios_own_examples_are_right(caller: str, signature: str) -> None:
    """They stand in Twilio's documentation and in the tests of its library."""
    fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", caller),
        ("To", "+18005551212"),
        ("Caller", caller),
    ]
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert is_signed(url, fields, signature, "12345")
    assert not is_signed(url, fields, signature, "12346")
    assert not is_signed(url.replace("foo=1", "foo=2"), fields, signature, "12345")
    assert not is_signed(url, fields[1:], signature, "12345")
    assert not is_signed(url, fields, "ñ", "12345")


async def test_the_endpoint_takes_signed_calls_only() -> None:
    """The signature covers the address with our reference, as the gateway called it."""
    taken: list[tuple[bytes, Received]] = []

    async def take(body: bytes, received: Received) -> None:
        taken.append((body, received))

    public = "https://cites.example/sms"
    endpoint = TwilioEndpoint(public_url=public, token="secret", now=lambda: NOW, take=take)
    fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+34600000001"}
    text = f"{public}?reference=out%3A1" + "".join(name + fields[name] for name in sorted(fields))
    headers = {"X-Twilio-Signature": b64encode(digest(b"secret", text.encode(), "sha1")).decode()}
    async with serving(endpoint.routes("/sms")) as url, aiohttp.ClientSession() as client:
        for given, query, status in (
            (headers, "?reference=out%3A1", 200),
            (headers, "?reference=out%3A2", 403),
            ({}, "?reference=out%3A1", 403),
        ):
            address = URL(f"{url}/sms{query}", encoded=True)
            async with client.post(address, data=fields, headers=given) as done:
                assert done.status == status
    ((raw, received),) = taken
    assert raw == form(**fields)
    assert received.reports[0].reference == "out:1"


def test_an_empty_token_makes_no_endpoint() -> None:
    """Everyone could sign with it."""

    async def take(_: bytes, __: Received) -> None: ...

    with pytest.raises(ValueError, match="need its token"):
        TwilioEndpoint(public_url="https://x", token="", now=lambda: NOW, take=take)


@pytest.mark.parametrize(
    ("codes", "action"),
    [
        ("30005 30006 21635", FailureAction.DEAD_NUMBER),
        ("30003 30036", FailureAction.NONE),
        ("21612", FailureAction.ALERT),
        ("21610", FailureAction.OPTED_OUT),
        ("20429", FailureAction.BACK_OFF),
        ("20003", FailureAction.STOP_CHANNEL),
        ("99999", FailureAction.ALERT),
    ],
)
def test_each_code_has_its_action(codes: str, action: FailureAction) -> None:
    """Dead numbers, and persons who told the gateway to stop."""
    assert {failure_table().rule(code).action for code in codes.split()} == {action}
