"""The webhook over real connections: what it posts, its signature, and what each answer of a server means."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from aiohttp import web

from bench.killing.receiver import free_port
from tests.rigs.certificates import Authority
from tests.rigs.core import core, signal, until
from tests.rigs.script_server import ScriptServer, script_server
from tests.rigs.sink_peer import QUICK, report, settings_of
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import ConfigError
from vetlla.domain.onward import Onward, SinkState, invented
from vetlla.domain.signals import Flag, Position, Priority
from vetlla.receiver.sinks.contract import PeerAwayError, RefusedContentError
from vetlla.receiver.sinks.schema import text
from vetlla.receiver.sinks.webhook import WebhookDelivery
from vetlla.settings.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.rigs.script_server import Heard

DOCS = Path(__file__).parents[3] / "docs"
KEY, OTHER = b"k" * 32, b"o" * 32
AT = datetime(2026, 11, 21, 22, 33, 1, tzinfo=UTC)


def key_file(directory: Path, name: str = "key", key: bytes = KEY, prefix: str = "whsec_") -> Path:
    file = directory / name
    file.write_text(f"{prefix}{base64.b64encode(key).decode()}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def record(number: int = 1, **said: Any) -> Onward:  # noqa: ANN401 - fields of a signal
    return Onward(
        number, 1_764_561_600_000_000, signal(**said), "H-1", Priority.LIFE, Flag.BUFFERED, 9, "dc09", ("a:b",)
    )


def settings(directory: Path, url: str, **changed: Any) -> WebhookSink:  # noqa: ANN401 - those of the class
    values = {"kind": "webhook", "name": "city", "url": url, "key_files": (key_file(directory),)}
    return WebhookSink(**values | changed)


@asynccontextmanager
async def posting(
    directory: Path,
    **changed: Any,  # noqa: ANN401 - settings
) -> AsyncIterator[tuple[WebhookDelivery, ScriptServer]]:
    async with script_server() as server:
        delivery = WebhookDelivery(settings(directory, f"{server.url}/hook/?tenant=1", **changed), ManualClock(AT))
        try:
            yield delivery, server
        finally:
            await delivery.close()


def answering(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def signature(key: bytes, heard: Heard) -> str:
    """Return the signature as the specification says, computed here a second time."""
    signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


# --- what is posted ---------------------------------------------------------------------------------------------------


async def test_a_body_says_what_was_stored(tmp_path: Path) -> None:
    """The body fits the schema of the handbook, and the address is used as it was written."""
    place = Position(latitude=41.39, longitude=2.17, accuracy_m=12.5, source="gps", at=AT)
    said = {"occurred_at": AT, "text": "polsador d'Àvia", "position": place, "measurements": {"battery": 41.0}}
    async with posting(tmp_path) as (delivery, server):
        assert await delivery.deliver([record(7, **said), record(9, details={"url": "x"})]) == 2
    (heard,) = server.heard
    assert (heard.method, heard.path, heard.query) == ("POST", "/hook/", {"tenant": "1"})
    body = json.loads(heard.body)
    jsonschema.validate(body, json.loads((DOCS / "onward.schema.json").read_text(encoding="utf-8")))
    assert (body["version"], body["sink"], [one["number"] for one in body["signals"]]) == (1, "city", [7, 9])
    first = body["signals"][0]
    assert first["received"] == "2025-12-01T04:00:00.000000Z"
    assert first["occurred"] == first["position"]["at"] == "2026-11-21T22:33:01.000000Z"
    assert (first["priority"], first["flags"], first["alarm"], first["labels"]) == ("LIFE", ["buffered"], 9, ["a:b"])
    assert (first["caller"], first["home"], first["kind"]) == (
        {"receiver": "", "line": "0", "account": "1234"}, "H-1", "personal_emergency",
    )  # fmt: skip
    assert first["text"] == "polsador d'Àvia"
    assert "raw" not in first


def test_the_schema_of_the_handbook_is_that_of_the_program() -> None:
    """``make schema`` writes it."""
    assert (DOCS / "onward.schema.json").read_text(encoding="utf-8") == text()


async def test_a_request_is_signed_with_each_key(tmp_path: Path) -> None:
    """While a key is replaced there are two signatures, so that the server accepts either key."""
    files = (key_file(tmp_path, "new", OTHER, prefix=""), key_file(tmp_path, "old"))
    token = tmp_path / "token"
    token.write_text("secret-token\n", encoding="utf-8")
    token.chmod(0o600)
    async with posting(tmp_path, key_files=files, token_file=token) as (delivery, server):
        await delivery.deliver([record()])
    (heard,) = server.heard
    assert heard.headers["webhook-signature"].split() == [signature(OTHER, heard), signature(KEY, heard)]
    assert heard.headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert heard.headers["Authorization"] == "Bearer secret-token"


async def test_the_same_signals_have_the_same_key_and_others_another(tmp_path: Path) -> None:
    """A server can recognise a batch that comes again, whenever that is."""
    async with posting(tmp_path) as (delivery, server):
        await delivery.deliver([record(1), record(2)])
        delivery._clock.advance(3_600)  # type: ignore[attr-defined] # a clock of this test
        await delivery.deliver([record(1), record(2)])
        await delivery.deliver([record(1), record(3)])
    keys = [one.headers["Idempotency-Key"] for one in server.heard]
    assert keys == [one.headers["webhook-id"] for one in server.heard]
    assert keys[0] == keys[1] != keys[2]


async def test_a_body_keeps_to_its_size(tmp_path: Path) -> None:
    """As many signals as fit are posted; one that is too large alone is posted alone."""
    async with posting(tmp_path, batch_kib=2) as (delivery, server):
        assert await delivery.deliver([record(number, text="x" * 300) for number in range(1, 9)]) == 2
        assert await delivery.deliver([record(1, text="x" * 9_000), record(2)]) == 1
    assert [len(json.loads(one.body)["signals"]) for one in server.heard] == [2, 1]
    assert len(server.heard[0].body) <= 2_048


async def test_an_invented_signal_says_so(tmp_path: Path) -> None:
    """A server that routes alarms can leave it out."""
    async with posting(tmp_path) as (delivery, server):
        await delivery.deliver([invented(ManualClock(AT).now())])
    (one,) = json.loads(server.heard[0].body)["signals"]
    assert (one["test"], one["number"], one["kind"], one["home"]) == (True, 0, "manual_test", "vetlla-test")


# --- what an answer means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_server_that_answers_2xx_has_taken_the_signals(tmp_path: Path, status: int) -> None:
    """Whatever the body says."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: answering(status)
        assert await delivery.deliver([record()]) == 1


@pytest.mark.parametrize("status", [400, 402, 406, 411, 413, 414, 415, 422, 431])
async def test_an_answer_about_the_content_refuses_it(tmp_path: Path, status: int) -> None:
    """Sending the same again would not help."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: answering(status)
        with pytest.raises(RefusedContentError, match=str(status)):
            await delivery.deliver([record()])


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 408, 409, 410, 425, 429, 500, 502, 503, 504])
async def test_other_answers_are_those_of_a_peer_that_is_away(tmp_path: Path, status: int) -> None:
    """A redirection is not followed, because it could lead signals of homes to anyone."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: answering(status, Location=f"{server.url}/elsewhere")
        with pytest.raises(PeerAwayError, match=str(status)):
            await delivery.deliver([record()])
    assert len(server.heard) == 1


async def test_a_server_says_when_it_wants_the_next_request(tmp_path: Path) -> None:
    """Retry-After is honoured."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: answering(429, Retry_After="17")
        with pytest.raises(PeerAwayError) as raised:
            await delivery.deliver([record()])
    assert raised.value.after_s == 17


async def test_a_server_that_hangs_cuts_or_is_not_there_is_away(tmp_path: Path) -> None:
    """The outcome may be unknown: then the signals are sent again, with the same key."""
    hanging = asyncio.Event()

    async def hang() -> web.Response:
        await hanging.wait()
        return web.Response()

    async with posting(tmp_path, answer_s=0.05) as (delivery, server):
        server.answer = lambda _: hang()
        with pytest.raises(PeerAwayError, match="in time"):
            await delivery.deliver([record()])
        hanging.set()
        server.answer = lambda _: None
        with pytest.raises(PeerAwayError, match="closed the connection"):
            await delivery.deliver([record()])
        server.answer = lambda _: answering(200)
        assert await delivery.deliver([record()]) == 1
    assert len({one.headers["webhook-id"] for one in server.heard}) == 1
    nowhere = WebhookDelivery(settings(tmp_path, f"http://127.0.0.1:{free_port()}/"), ManualClock(AT))
    with pytest.raises(PeerAwayError, match="no connection"):
        await nowhere.deliver([record()])


async def test_a_long_answer_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A server cannot fill the receiver's memory."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: web.Response(body=b"x" * (5 << 20))
        assert await delivery.deliver([record()]) == 1


# --- files ------------------------------------------------------------------------------------------------------------


async def test_a_key_is_read_again_after_a_failure(tmp_path: Path) -> None:
    """A person may replace keys without a restart."""
    async with posting(tmp_path) as (delivery, server):
        server.answer = lambda _: answering(401)
        with pytest.raises(PeerAwayError):
            await delivery.deliver([record()])
        key_file(tmp_path, key=OTHER)
        server.answer = lambda _: answering(200)
        await delivery.deliver([record()])
    assert [one.headers["webhook-signature"] for one in server.heard] == [
        signature(KEY, server.heard[0]),
        signature(OTHER, server.heard[1]),
    ]


@pytest.mark.parametrize(
    "content", ["", "whsec_", "whsec_dG9vIHNob3J0", "no base64!", base64.b64encode(b"x" * 65).decode()]
)
async def test_a_useless_key_is_told_with_its_file(tmp_path: Path, content: str) -> None:
    """Too short, too long, or no base64."""
    file = tmp_path / "key"
    async with posting(tmp_path) as (delivery, server):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=str(file)):
            await delivery.deliver([record()])
    assert server.heard == []


async def test_an_authority_of_the_settings_is_used(tmp_path: Path) -> None:
    """A server whose certificate another authority issued is refused before anything is sent."""
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    pair = ours.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    heard: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(await request.read())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", take)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        for authority, count in ((theirs, 0), (ours, 1)):
            delivery = WebhookDelivery(settings(tmp_path, url, ca=authority.certificate), ManualClock(AT))
            try:
                if authority is theirs:
                    with pytest.raises(PeerAwayError, match="certificate"):
                        await delivery.deliver([record()])
                else:
                    await delivery.deliver([record()])
            finally:
                await delivery.close()
            assert len(heard) == count
    finally:
        await runner.cleanup()


# --- settings ---------------------------------------------------------------------------------------------------------


def test_signals_are_not_sent_in_clear_unasked(tmp_path: Path) -> None:
    """Only to this machine itself, or with a setting that says so."""
    for url in ("http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/x", "https://city.example/"):
        settings(tmp_path, url)
    with pytest.raises(ValueError, match="should begin with https"):
        settings(tmp_path, "http://city.example/")
    settings(tmp_path, "http://city.example/", allow_http=True)


# --- with the core ----------------------------------------------------------------------------------------------------


async def test_a_server_in_trouble_gets_every_signal_in_order(tmp_path: Path) -> None:
    """It fails, cuts, throttles and refuses large bodies by turns; it misses nothing and nothing overtakes."""
    turns = iter([500, None, 429, 413, 503, 200, None, 413] * 1_000)
    accepted: list[int] = []

    def answer(heard: Heard) -> web.Response | None:
        numbers = [one["number"] for one in json.loads(heard.body)["signals"]]
        status = next(turns)
        if status == 413 and len(numbers) < 2:
            status = 200
        if status in {200, None}:  # a cut connection may come after the work was done
            accepted.extend(numbers)
        return None if status is None else answering(status, Retry_After="0")

    async with script_server() as server:
        server.answer = answer
        sink = settings(tmp_path, f"{server.url}/").model_dump() | {"retry_max_s": 0.002}
        chosen = settings_of(tmp_path, sink)
        async with core(tmp_path, settings=chosen, accounts=[Account(account="1234")], bounds=QUICK) as rig:
            await report(rig, 250)
            running = rig.sinks.find("city")
            await until(lambda: running.waiting == 0 and running.state is SinkState.WORKING)
    first_time = list(dict.fromkeys(accepted))
    assert first_time == list(range(1, 251))


async def test_a_request_whose_answer_was_lost_comes_again_as_it_was(tmp_path: Path) -> None:
    """Signals that were stored meanwhile come in the next request, so the server recognises the first one."""
    stored = asyncio.Event()

    async def lose() -> web.Response | None:
        await stored.wait()
        return None

    async with script_server() as server:
        server.answer = lambda _: lose() if len(server.heard) < 3 else answering(200)
        sink = settings(tmp_path, f"{server.url}/").model_dump() | {"retry_max_s": 0.002}
        chosen = settings_of(tmp_path, sink)
        async with core(tmp_path, settings=chosen, accounts=[Account(account="1234")], bounds=QUICK) as rig:
            await report(rig)
            await until(lambda: len(server.heard) == 1)
            await report(rig, 4)
            stored.set()
            await until(lambda: rig.sinks.find("city").waiting == 0)
    first, *again, last = server.heard
    assert [(one.headers["Idempotency-Key"], one.body) for one in again] == [
        (first.headers["Idempotency-Key"], first.body)
    ] * 2
    assert [one["number"] for one in json.loads(last.body)["signals"]] == [2, 3, 4, 5]
