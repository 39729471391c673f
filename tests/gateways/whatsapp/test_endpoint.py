"""Meta's first visit is answered, signed deliveries are taken when they are on the disk, and all others are refused."""

from __future__ import annotations

import hmac
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING

import aiohttp
import pytest
from pywa.utils import webhook_updates_validator

from tests.rigs.script_server import serving
from vetlla.domain.errors import StoreError
from vetlla.gateways.hooks import BODY_BYTES
from vetlla.gateways.whatsapp.endpoint import WhatsAppEndpoint
from vetlla.gateways.whatsapp.proof import challenge_of, is_signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vetlla.gateways.received import Received

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "app-secret"
# As Meta writes it: with escapes that Python's own JSON would not write.
BODY = (
    rb'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":'
    rb'[{"from":"34600000001","id":"wamid.1","timestamp":"1795514400","type":"text",'
    rb'"text":{"body":"anul\u00b7lar https:\/\/x"}}]}}]}]}'
)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


class Taken(list[tuple[bytes, "Received"]]):
    """What was kept; ``is_broken`` makes the disk fail."""

    is_broken = False

    async def take(self, body: bytes, received: Received) -> None:
        if self.is_broken:
            raise StoreError("the disk is full")
        self.append((body, received))


@asynccontextmanager
async def endpoint() -> AsyncIterator[tuple[aiohttp.ClientSession, str, Taken]]:
    taken = Taken()
    door = WhatsAppEndpoint(
        verify_token="our-word",
        app_secret=SECRET,
        phone_number_id="",
        now=lambda: NOW,
        take=taken.take,
        languages={"es": "es_ES"},
    )
    async with serving(door.routes("/whatsapp")) as url, aiohttp.ClientSession() as client:
        yield client, f"{url}/whatsapp", taken


async def test_the_first_visit_gets_its_challenge_as_plain_text() -> None:
    """Meta compares the body with what it sent."""
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "our-word"}
    async with endpoint() as (client, url, _), client.get(url, params=query) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        assert await answer.text() == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "our-wórd"},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "unsubscribe", "hub.challenge": "1", "hub.verify_token": "our-word"},
        {"hub.mode": "subscribe", "hub.verify_token": "our-word"},
        {},
    ],
)
async def test_a_visitor_without_the_word_is_refused(query: dict[str, str]) -> None:
    """Status 403, and no challenge."""
    async with endpoint() as (client, url, _), client.get(url, params=query) as answer:
        assert answer.status == 403
        assert await answer.text() == ""


async def test_a_signed_delivery_is_taken_with_its_raw_bytes() -> None:
    """The signature is over the bytes, and JSON written again would have another."""
    assert json.dumps(json.loads(BODY)).encode() != BODY
    async with endpoint() as (client, url, taken), client.post(url, data=BODY, headers=signed(BODY)) as answer:
        assert answer.status == 200
    ((raw, received),) = taken
    assert raw == BODY
    assert received.replies[0].text == "anul·lar https://x"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha256=" + "0" * 64},
        signed(BODY, "another-secret"),
        signed(BODY + b" "),
        {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest()},
    ],
)
async def test_a_delivery_that_is_not_signed_is_refused(headers: dict[str, str]) -> None:
    """Anyone could cancel appointments otherwise."""
    async with endpoint() as (client, url, taken), client.post(url, data=BODY, headers=headers) as answer:
        assert answer.status == 403
    assert taken == []


async def test_a_delivery_that_cannot_be_kept_is_not_acknowledged() -> None:
    """Meta sends it again for up to seven days."""
    async with endpoint() as (client, url, taken):
        taken.is_broken = True
        async with client.post(url, data=BODY, headers=signed(BODY)) as answer:
            assert answer.status == 503
        taken.is_broken = False
        async with client.post(url, data=BODY, headers=signed(BODY)) as answer:
            assert answer.status == 200
    assert len(taken) == 1


async def test_a_body_above_the_bound_is_refused() -> None:
    """Meta's largest delivery has 3 MB."""
    body = b" " * (BODY_BYTES + 1)
    async with endpoint() as (client, url, taken):
        answer = await client.post(url, data=BytesIO(body), headers=signed(body))
        assert answer.status == 413
    assert taken == []


@pytest.mark.parametrize(("verify_token", "app_secret"), [("", SECRET), ("our-word", "")])
def test_an_empty_secret_makes_no_endpoint(verify_token: str, app_secret: str) -> None:
    """Everyone knows the empty secret."""
    with pytest.raises(ValueError, match="needs a verify token and the secret"):
        WhatsAppEndpoint(
            verify_token=verify_token, app_secret=app_secret, phone_number_id="", now=lambda: NOW, take=Taken().take
        )


@pytest.mark.parametrize("body", [BODY, b"", "çí·".encode(), b"\xff\x00"])
def test_pywa_agrees_about_signatures(body: bytes) -> None:
    """Pywa's validator is not ours."""
    header = signed(body)["X-Hub-Signature-256"]
    assert webhook_updates_validator(SECRET, body, header)
    assert is_signed(body, header, SECRET)
    assert not webhook_updates_validator(SECRET, body + b"x", header)
    assert not is_signed(body + b"x", header, SECRET)


def test_a_signature_of_other_letters_is_refused_and_raises_nothing() -> None:
    """Comparing in constant time raises an error for letters outside ASCII, if they are not made bytes first."""
    assert not is_signed(BODY, "sha256=ñ\udcff", SECRET)
    assert challenge_of({"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "ñ\udcff"}, "x") is None


async def test_news_about_a_template_are_in_our_name_of_its_language() -> None:
    value = {
        "event": "PAUSED",
        "message_template_id": 1,
        "message_template_name": "cita",
        "message_template_language": "es_ES",
    }
    change = {"field": "message_template_status_update", "value": value}
    told = {"object": "whatsapp_business_account", "entry": [{"id": "1", "time": 1, "changes": [change]}]}
    body = json.dumps(told).encode()
    async with endpoint() as (client, url, taken), client.post(url, data=body, headers=signed(body)) as answer:
        assert answer.status == 200
        ((_, received),) = taken
    assert [(one.event, one.template, one.language) for one in received.notices] == [("PAUSED", "cita", "es")]
