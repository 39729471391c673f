"""An SMS by a gateway that the settings describe, tried on Kannel and on a gateway of JSON."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from tests.rigs.kannel import running_kannel
from tests.rigs.script_server import script_server, serving
from vetlla.domain.messages import Delivery, Outgoing
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.http import Answer, HttpCaller
from vetlla.gateways.sms.generic import AnswerRule, HttpSmsAccount, HttpSmsGateway, Method, accepted_of
from vetlla.gateways.sms.generic_endpoint import HttpSmsEndpoint, ReplyRule, ReportRule, replies_of, reports_of
from vetlla.gateways.sms.places import at_path, filled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vetlla.gateways.received import Received

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KANNEL_ANSWER = AnswerRule(pattern=r"^(?P<status>\d+): ", accepted=frozenset({"0", "3"}), refused_http=frozenset({503}))
KANNEL_REPORT = ReportRule(
    statuses={
        "1": Delivery.DELIVERED,
        "2": Delivery.FAILED,
        "4": Delivery.SENT,
        "8": Delivery.SENT,
        "16": Delivery.FAILED,
    },
    detail_path="detail",
)
REMINDER = Outgoing(reference="out:1", phone="+34600000001", text="Cita a les 10:30. Per anul·lar: 2", useful_s=90)
PROVIDER = HttpSmsAccount(
    url="https://sms.example/api",
    method=Method.POST_JSON,
    headers={"X-Api-Key": "{api_key}"},
    secrets={"api_key": "secret"},
    fields={
        "messages": [{"to": "{to_digits}", "text": "{text}", "ref": "{reference}"}],
        "sender": "{from}",
        "ttl": "{useful_s}",
        "unicode": True,
        "note": "for {to}",
    },
    sender="34600000099",
    answer=AnswerRule(id_path="result.0.id", status_path="result.0.state", accepted=frozenset({"OK"})),
)


async def until(is_enough: Callable[[], bool]) -> None:
    """Wait for a program that is not ours."""
    async with asyncio.timeout(30):
        while not is_enough():  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.05)


class Taken(list["Received"]):
    """What was kept."""

    async def take(self, _: bytes, received: Received) -> None:
        self.append(received)


@asynccontextmanager
async def calling(account: HttpSmsAccount) -> AsyncIterator[HttpSmsGateway]:
    http = HttpCaller()
    try:
        yield HttpSmsGateway("sms", account, http)
    finally:
        await http.close()


def kannel_account(url: str, callback: str, password: str = "secret") -> HttpSmsAccount:
    return HttpSmsAccount(
        url=url,
        method=Method.GET_QUERY,
        fields={
            "username": "vetlla",
            "password": "{password}",
            "to": "{to}",
            "from": "{from}",
            "text": "{text}",
            "charset": "UTF-8",
            "coding": "{coding}",
            "validity": "{useful_min}",
            "dlr-mask": "31",
            "dlr-url": f"{callback}/report?token=word&reference={{reference}}&status=%d&detail=%A",
        },
        secrets={"password": password},
        sender="34600000099",
        answer=KANNEL_ANSWER,
    )


async def test_kannel_sends_reports_and_passes_replies_on(tmp_path: Path) -> None:
    """A reminder arrives with its letters, two reports come back, and a citizen's reply is read."""
    taken = Taken()
    endpoint = HttpSmsEndpoint(token="word", now=lambda: NOW, take=taken.take, report=KANNEL_REPORT)
    reply = "34600000001 34600000099 ucs2 " + "".join(f"%{byte:02X}" for byte in "Anul·lar".encode("utf-16-be"))
    async with serving(endpoint.routes("/sms")) as url:
        with running_kannel(tmp_path, f"{url}/sms") as kannel:
            network = kannel.network(reply)
            await until(lambda: any(one.replies for one in taken))
            async with calling(kannel_account(kannel.url, f"{url}/sms")) as channel:
                accepted = await channel.send(REMINDER)
            await until(lambda: sum(len(one.reports) for one in taken) >= 2)
            printed = network.read_text(encoding="utf-8", errors="replace")
    replies = [one for received in taken for one in received.replies]
    assert [(one.phone, one.text) for one in replies] == [("+34600000001", "Anul·lar")]
    assert replies[0].provider_id
    reports = [one for received in taken for one in received.reports]
    assert {one.reference for one in reports} == {"out:1"}
    assert {one.provider_id for one in reports} == {accepted.provider_id}
    assert [one.delivery for one in reports] == [Delivery.SENT, Delivery.DELIVERED]
    assert "34600000099 +34600000001 ucs-2" in printed
    assert "%00a%00n%00u%00l%00%B7%00l%00a%00r" in printed


async def test_kannel_refuses_a_wrong_password(tmp_path: Path) -> None:
    """It answers 403 and a text, so nothing was sent."""
    with running_kannel(tmp_path, "http://127.0.0.1:9") as kannel:
        async with calling(kannel_account(kannel.url, "http://127.0.0.1:9", password="wrong")) as channel:
            with pytest.raises(RefusedError) as raised:
                await channel.send(REMINDER)
    assert raised.value.code == "HTTP-403"


async def test_a_text_of_the_small_alphabet_travels_as_such(tmp_path: Path) -> None:
    """Kannel is told which alphabet to use, because it would send a question mark for a foreign letter."""
    with running_kannel(tmp_path, "http://127.0.0.1:9") as kannel:
        network = kannel.network()
        async with calling(kannel_account(kannel.url, "http://127.0.0.1:9")) as channel:
            await channel.send(Outgoing(reference="out:2", phone="+34600000001", text="Gràcies, demà a les 10"))
        await until(lambda: "Got message" in network.read_text(encoding="utf-8", errors="replace"))
        printed = network.read_text(encoding="utf-8", errors="replace")
    assert "34600000099 +34600000001 text Gr" in printed


async def test_a_provider_of_json_gets_its_template_filled() -> None:
    """A number stays a number, and a place that stands alone and has no value is left out with its field."""
    async with script_server() as server:
        server.answer = lambda _: web.json_response({"result": [{"id": 77, "state": "OK"}]})
        account = HttpSmsAccount(
            url=f"{server.url}/api",
            method=PROVIDER.method,
            fields=PROVIDER.fields,
            headers=PROVIDER.headers,
            secrets=PROVIDER.secrets,
            sender=PROVIDER.sender,
            answer=PROVIDER.answer,
        )
        async with calling(account) as channel:
            assert (await channel.send(REMINDER)).provider_id == "77"
            await channel.send(Outgoing(reference="out:2", phone="+34600000001", text="{to} {unknown}"))
    first, second = (json.loads(heard.body) for heard in server.heard)
    assert first == {
        "messages": [{"to": "34600000001", "text": REMINDER.text, "ref": "out:1"}],
        "sender": "34600000099",
        "ttl": 90,
        "unicode": True,
        "note": "for +34600000001",
    }
    assert "ttl" not in second
    assert second["messages"][0]["text"] == "{to} {unknown}", "a place in a citizen's text is text"
    assert server.heard[0].headers["X-Api-Key"] == "secret"


async def test_an_empty_message_is_not_sent() -> None:
    """The gateway is not asked."""
    async with script_server() as server, calling(kannel_account(server.url, "http://x")) as channel:
        for message in (Outgoing(reference="r", phone="+34600000001"), Outgoing(reference="r", phone="", text="x")):
            with pytest.raises(RefusedError):
                await channel.send(message)
        assert server.heard == []


async def test_a_provider_of_forms_gets_a_form() -> None:
    """With a name and a password of HTTP Basic."""
    async with script_server() as server:
        account = HttpSmsAccount(
            url=server.url,
            method=Method.POST_FORM,
            fields={"dst": "{to}", "msg": "{text}"},
            user="omac",
            password="secret",
        )
        async with calling(account) as channel:
            accepted = await channel.send(Outgoing(reference="out:3", phone="+34600000001", text="a+b"))
    assert accepted.provider_id == "out:3", "the gateway gives no id, so ours is the id"
    assert server.heard[0].body == b"dst=%2B34600000001&msg=a%2Bb"
    assert server.heard[0].headers["Authorization"] == f"Basic {b64encode(b'omac:secret').decode()}"


@pytest.mark.parametrize(
    ("status", "body", "rule", "code"),
    [
        (202, "4: Denied", KANNEL_ANSWER, "4"),
        (503, "Temporal failure, try again later.", KANNEL_ANSWER, "HTTP-503"),
        (403, "Authorization failed for sendsms", KANNEL_ANSWER, "HTTP-403"),
        (200, '{"result":[{"state":"NO CREDIT"}]}', PROVIDER.answer, "NO CREDIT"),
        (400, '{"result":[{"state":"BAD"}]}', PROVIDER.answer, "BAD"),
        (429, "slow down", PROVIDER.answer, "HTTP-429"),
    ],
)
def test_a_refusal_has_the_gateways_word(status: int, body: str, rule: AnswerRule, code: str) -> None:
    """Many gateways answer 200 to a refused message."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(Answer(status, {}, body.encode()), rule, "out:1")
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("status", "body", "rule"),
    [
        (500, "x", KANNEL_ANSWER),
        (502, "0: Accepted for delivery", KANNEL_ANSWER),
        (200, "x", KANNEL_ANSWER),
        (200, "{}", PROVIDER.answer),
        (200, '{"result":[{"state":"OK"}]}', PROVIDER.answer),
        (504, "x", AnswerRule()),
    ],
)
def test_an_answer_that_tells_nothing_leaves_the_outcome_unknown(status: int, body: str, rule: AnswerRule) -> None:
    """A server failed, or the answer has not what the settings name."""
    with pytest.raises(OutcomeUnknownError):
        accepted_of(Answer(status, {}, body.encode()), rule, "out:1")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"to": "{to}", "text": "{text}", "x": ["{tesxt}"]}, "unknown places: tesxt"),
        ({"to": "{to}"}, "need the places {text}"),
        ({"text": "{text}"}, "need the places {text}"),
    ],
)
def test_settings_that_could_not_send_are_refused_at_the_start(fields: dict[str, Any], reason: str) -> None:
    """And not at the first reminder."""
    with pytest.raises(ValueError, match=reason):
        HttpSmsAccount(url="https://x", method=Method.POST_JSON, fields=fields)


def test_an_expression_that_is_none_is_refused_at_the_start() -> None:
    """Its fault is told."""
    with pytest.raises(ValueError, match="answer pattern"):
        HttpSmsAccount(
            url="https://x",
            method=Method.GET_QUERY,
            fields={"a": "{to}{text}"},
            answer=AnswerRule(pattern="("),
        )


def test_secrets_are_not_shown() -> None:
    """An account can be logged."""
    assert "secret" not in repr(PROVIDER)


def test_paths_reach_into_objects_and_lists() -> None:
    """And give nothing for what is not there."""
    document = {"a": [{"b": 7, "c": None, "d": True, "e": ""}]}
    assert at_path(document, "a.0.b") == "7"
    paths = ("", "a", "a.1.b", "a.x", "a.0.c", "a.0.d", "a.0.e", "a.0.b.c", "z", "a.-1.b", "a.\u0660.b")
    assert {at_path(document, path) for path in paths} == {""}
    assert filled(["{to}", 1, None], {"to": "x"}) == ["x", 1, None]


def test_a_report_without_message_or_with_a_new_status_is_kept() -> None:
    """The settings may lack a status."""
    rule = ReportRule(id_path="id", statuses={"ok": Delivery.DELIVERED}, code_path="err")
    (report,) = reports_of({"id": 5, "status": "ok", "err": 3}, rule, NOW).reports
    assert (report.provider_id, report.delivery, report.code) == ("5", Delivery.DELIVERED, "3")
    unknown: list[Any] = [{"id": 5, "status": "new"}, {"status": "ok"}, [], None, "x"]
    for values in unknown:
        assert [one.raw for one in reports_of(values, rule, NOW).unread] == [json.dumps(values)]


def test_all_reports_and_replies_of_one_call_are_read() -> None:
    """Several providers bring them in lists. One that cannot be read does not hide the others."""
    rule = ReportRule(items_path="a.results", id_path="id", statuses={"ok": Delivery.DELIVERED})
    results: list[Any] = [{"id": 1, "status": "ok"}, {"id": 2}, 7, {"id": 3, "status": "ok"}]
    received = reports_of({"a": {"results": results}}, rule, NOW)
    assert [one.provider_id for one in received.reports] == ["1", "3"]
    assert [(one.where, one.raw) for one in received.unread] == [("a.results[1]", '{"id": 2}'), ("a.results[2]", "7")]
    texts = [{"from": "600000001", "text": "1", "id": "x"}, {"from": "22770", "text": "STOP"}]
    received = replies_of(texts, ReplyRule(), NOW)
    assert [one.text for one in received.replies] == ["1"]
    assert [one.reason for one in received.unread] == ["the sender cannot be answered"]


def test_a_reply_without_an_id_is_told_from_its_repetition() -> None:
    """Sender, text and the gateway's time make an id."""
    rule = ReplyRule(time_path="at")
    first, again, other = (
        replies_of({"from": "600000001", "text": "1", "at": at}, rule, NOW).replies[0] for at in ("10", "10", "11")
    )
    assert first.provider_id == again.provider_id != other.provider_id
    assert first.phone == "+34600000001"


async def test_the_endpoint_wants_its_token() -> None:
    """Gateways of this kind sign nothing."""
    taken = Taken()
    rule = ReportRule(id_path="m.id", status_path="m.s", statuses={"OK": Delivery.DELIVERED})
    endpoint = HttpSmsEndpoint(token="word", now=lambda: NOW, take=taken.take, report=rule)
    async with serving(endpoint.routes("/sms")) as url, aiohttp.ClientSession() as client:
        for token, status in (("word", 200), ("wrong", 403), ("", 403), ("wörd", 403)):
            body = {"m": {"id": "1", "s": "OK"}}
            async with client.post(f"{url}/sms/report", params={"token": token}, json=body) as answer:
                assert answer.status == status
        async with client.post(f"{url}/sms/reply?token=word", data={"from": "+34600000001", "text": "ok"}) as answer:
            assert answer.status == 200
        async with client.post(f"{url}/sms/report?token=word", data="{", headers={"Content-Type": "application/json"}):
            pass
    reports, replies, unread = taken
    assert reports.reports[0].provider_id == "1"
    assert replies.replies[0].text == "ok"
    assert len(unread.unread) == 1


def test_an_empty_token_makes_no_endpoint() -> None:
    """Everyone knows it."""
    with pytest.raises(ValueError, match="need a token"):
        HttpSmsEndpoint(token="", now=lambda: NOW, take=Taken().take, report=ReportRule())
