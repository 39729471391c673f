"""The door for SIP with the real core: what a terminal gets for each request, and when."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.rigs.certificates import Authority
from tests.rigs.core import until
from tests.rigs.loops import each_loop
from tests.rigs.sip.door import ACCOUNT, report, sip_door
from vetlla.domain.accounts import Account
from vetlla.domain.signals import VerdictOutcome
from vetlla.protocols.scaip.answer import AnswerStatus, read_answer
from vetlla.protocols.sip.uri import read_uri
from vetlla.receiver.counters import Refusal, Told
from vetlla.settings.listen import Tls

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.protocols.sip.message import Request

ways = pytest.mark.parametrize("way", ["UDP", "TCP"])
SHORT_US = 60_000
"""Time after which an answer that no terminal confirms counts as not heard."""


def ref_of(answer: Request) -> str:
    body = read_answer(answer.body)
    assert body is not None
    assert body.status == AnswerStatus.ACCEPTED
    return body.ref


@ways
@each_loop
async def test_a_report_is_answered_after_its_commit(tmp_path: Path, way: str) -> None:
    """First 200 without a body, then the answer as a request of ours; neither comes while the commit is held."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial(way)
        opened.core.journal.gate.clear()
        terminal.send(terminal.request(report("R1")))
        await opened.core.held()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(terminal.next(), 0.05)
        opened.core.journal.gate.set()
        response = await terminal.response()
        assert (response.status, response.body) == (200, b"")
        assert "contact" not in response.headers
        answer = await terminal.answer()
        assert ref_of(answer) == "R1"
        address = read_uri(answer.uri)
        assert address is not None
        assert (address.user, address.host) == (ACCOUNT, "127.0.0.1")
        await until(lambda: opened.core.counters.sip_answers[Told.DELIVERED] == 1)
        (row,) = opened.core.read("SELECT protocol, transport, account FROM signals")
        assert (row["protocol"], row["transport"], row["account"]) == ("scaip", way.lower(), ACCOUNT)
        assert len(opened.core.read("SELECT 1 FROM alarms")) == 1


@each_loop
async def test_a_repetition_over_udp_is_absorbed(tmp_path: Path) -> None:
    """While the commit is held nothing is answered; then the repetition gets the same bytes, and no second answer."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        opened.core.journal.gate.clear()
        request = terminal.request(report())
        terminal.send(request)
        await opened.core.held()
        terminal.send(request)
        opened.core.journal.gate.set()
        first = await terminal.response()
        await terminal.answer()
        terminal.send(request)
        assert await terminal.response() == first
        assert (opened.stored(), opened.stored(VerdictOutcome.DUPLICATE)) == (1, 0)


@ways
async def test_the_same_report_in_a_new_transaction_is_told_again(tmp_path: Path, way: str) -> None:
    """A terminal that missed the answer sends the report again with another call id. It is a duplicate."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial(way)
        for _ in range(2):
            terminal.send(terminal.request(report("R7")))
            assert (await terminal.response()).status == 200
            assert ref_of(await terminal.answer()) == "R7"
        assert (opened.stored(), opened.stored(VerdictOutcome.DUPLICATE)) == (1, 1)


@ways
async def test_nothing_that_cannot_be_kept_is_acknowledged(tmp_path: Path, way: str) -> None:
    """A failed commit gives 503 with Retry-After; the same request is served when something can be kept again."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial(way)
        opened.core.journal.failing = True
        request = terminal.request(report())
        terminal.send(request)
        response = await terminal.response()
        assert (response.status, response.headers.first("retry-after")) == (503, "5")
        opened.core.journal.failing = False
        opened.core.clock.advance(2)
        await until(lambda: opened.core.commit.ready)
        terminal.send(request)
        assert (await terminal.response()).status == 200
        await terminal.answer()
        assert opened.stored() == 1


async def test_too_many_waiting_reports_over_udp_get_503(tmp_path: Path) -> None:
    """A datagram beyond the bound is not taken."""
    async with sip_door(tmp_path, limits={"intake_waiting": 1}) as opened:
        terminal = await opened.dial("UDP")
        opened.core.journal.gate.clear()
        terminal.send(terminal.request(report("0")))
        await opened.core.held()
        for number in range(1, 4):
            terminal.send(terminal.request(report(str(number))))
        assert (await terminal.response()).status == 503
        assert opened.core.counters.connections_refused[Refusal.NOT_READY] == 1


async def test_an_answer_is_repeated_until_it_is_confirmed(tmp_path: Path) -> None:
    """Over UDP the same bytes come again after half a second."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(report()))
        await terminal.response()
        first = await terminal.answer(status=0)
        assert await terminal.answer() == first
        await until(lambda: opened.core.counters.sip_answers[Told.DELIVERED] == 1)


@pytest.mark.parametrize(("status", "what"), [(0, Told.UNHEARD), (404, Told.REFUSED)])
async def test_an_answer_that_is_not_told_is_counted(tmp_path: Path, status: int, what: Told) -> None:
    """The report stays stored whatever becomes of its answer."""
    async with sip_door(tmp_path, whole_us=SHORT_US) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(report()))
        await terminal.response()
        await terminal.answer(status=status)
        await until(lambda: opened.core.counters.sip_answers[what] == 1)
        assert (len(opened.server.answers), opened.stored()) == (0, 1)


async def test_a_stranger_gets_one_answer_to_a_datagram(tmp_path: Path) -> None:
    """Its address may be forged. The report is stored, but the answer is not repeated."""
    async with sip_door(tmp_path, accounts=()) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(report()))
        await terminal.response()
        await terminal.answer(status=0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(terminal.next(), 0.7)


@ways
async def test_an_answer_inline_is_in_the_response(tmp_path: Path, way: str) -> None:
    """For peers that expect it there, and no request of ours follows."""
    async with sip_door(tmp_path, reply="inline") as opened:
        terminal = await opened.dial(way)
        terminal.send(terminal.request(report("R3")))
        response = await terminal.response()
        body = read_answer(response.body)
        assert body is not None
        assert (response.status, body.ref) == (200, "R3")
        assert response.headers.first("content-type") == "application/scaip+xml"
        terminal.send(terminal.request(method="OPTIONS"))
        assert (await terminal.response()).status == 200


async def test_messages_in_one_segment_and_over_many(tmp_path: Path) -> None:
    """Two requests in one segment, then one byte by byte; a ping between them gets its line end."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("TCP")
        terminal.send(terminal.request(report("1")) + terminal.request(report("2")))
        kinds = [type(await terminal.next()).__name__ for _ in range(4)]
        assert sorted(kinds) == ["Request", "Request", "Response", "Response"]
        for byte in terminal.request(report("3")):
            terminal.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await terminal.response()).status == 200
        assert ref_of(await terminal.answer()) == "3"
        assert opened.stored() == 3


async def test_a_proxy_may_begin_with_the_reports_of_many_homes(tmp_path: Path) -> None:
    """Its connection is new, and what it sends is longer than one turn."""
    many = 60
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("TCP")
        terminal.send(b"".join(terminal.request(report(str(number))) for number in range(many)))
        kinds = Counter([type(await terminal.next()).__name__ for _ in range(2 * many)])
        assert kinds == {"Response": many, "Request": many}


@ways
async def test_other_requests(tmp_path: Path, way: str) -> None:
    """OPTIONS says what we can do; a voice call has no place here; a subscription is not allowed."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial(way)
        for method, status in {"OPTIONS": 200, "INVITE": 480, "BYE": 481, "SUBSCRIBE": 405}.items():
            terminal.send(terminal.request(method=method))
            response = await terminal.response()
            assert response.status == status
            if status in {200, 405}:
                assert "MESSAGE" in response.headers.first("allow")
        terminal.send(terminal.request(method="ACK"))
        terminal.send(terminal.request(method="OPTIONS"))
        assert (await terminal.response()).status == 200


async def test_a_voice_call_is_sent_to_the_pbx(tmp_path: Path) -> None:
    """302 with the PBX's address."""
    async with sip_door(tmp_path, pbx="sip:alarms@pbx.example") as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(method="INVITE"))
        response = await terminal.response()
        assert (response.status, response.headers.first("contact")) == (302, "<sip:alarms@pbx.example>")


async def test_registrations(tmp_path: Path) -> None:
    """A known terminal is bound for its time, can ask and can leave; a stranger takes no memory."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        us = f"<sip:{ACCOUNT}@arc.example>"

        async def register(*headers: str, to: str = us) -> tuple[int, str]:
            terminal.send(terminal.request(method="REGISTER", receiver=to, headers=headers))
            response = await terminal.response()
            return response.status, response.headers.first("contact")

        assert await register("Contact: <sip:a@198.51.100.7>", "Expires: 600") == (
            200, "<sip:a@198.51.100.7>;expires=600",
        )  # fmt: skip
        opened.core.clock.advance(100)
        assert await register() == (200, "<sip:a@198.51.100.7>;expires=500")
        assert (await register("Contact: <sip:b@a>;expires=10"))[0] == 423
        assert (await register("Contact: <sip:a@b>", to="<sip:9@arc.example>"))[0] == 403
        assert await register("Contact: *", "Expires: 0") == (200, "")
        assert len(opened.server.registrar) == 0


@ways
async def test_a_source_that_is_not_allowed_is_refused_and_kept(tmp_path: Path, way: str) -> None:
    """At a known home the refused MESSAGE may have been a call for help, so an operator sees it."""
    async with sip_door(tmp_path, accept_from=("192.0.2.0/24",)) as opened:
        terminal = await opened.dial(way)
        terminal.send(terminal.request(report()))
        assert (await terminal.response()).status == 403
        await until(lambda: len(opened.core.read("SELECT 1 FROM alarms WHERE priority = 0")) == 1)
        assert opened.stored() == 0


async def test_a_broken_request_of_a_home_is_seen(tmp_path: Path) -> None:
    """Bytes of the body are missing: 400, and an alarm."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(report())[:-20])
        assert (await terminal.response()).status == 400
        await until(lambda: len(opened.core.read("SELECT 1 FROM alarms WHERE priority = 0")) == 1)


async def test_a_body_that_is_no_report_gets_415(tmp_path: Path) -> None:
    """The answer says what is read."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(terminal.request(b"bon dia", headers=("Content-Type: text/plain",)))
        response = await terminal.response()
        assert (response.status, response.headers.first("accept")) == (415, "application/scaip+xml")


async def test_a_stream_without_a_length_is_answered_and_closed(tmp_path: Path) -> None:
    """The end of the message is not known, so the connection is of no use."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("TCP")
        terminal.send(terminal.request(report()).replace(b"Content-Length", b"X-Length"))
        assert (await terminal.response()).status == 400
        assert await terminal.ended()


async def test_a_device_of_another_protocol_is_named(tmp_path: Path) -> None:
    """Its reports are lost there, so an operator sees its address."""
    async with sip_door(tmp_path) as opened:
        terminal = await opened.dial("UDP")
        terminal.send(b"[3G*8800000015*0002*LK]")
        await until(lambda: len(opened.core.read("SELECT 1 FROM rejects WHERE reason = 'wrong_port'")) == 1)


async def test_a_report_in_clear_at_a_door_for_tls_reaches_an_operator(tmp_path: Path) -> None:
    """It is not acknowledged, and its home has an alarm: every report of that terminal is lost there."""
    ours = Authority(tmp_path / "ca").issue("arc")
    async with sip_door(tmp_path / "state", tls=Tls(certificate=ours.certificate, key=ours.key)) as opened:
        terminal = await opened.dial("TCP")
        terminal.send(terminal.request(report()))
        assert await terminal.ended()
        await until(lambda: len(opened.core.read("SELECT 1 FROM alarms WHERE priority = 0")) == 1)
        assert opened.stored() == 0


async def test_over_tls_a_certificate_reports_for_its_own_account(tmp_path: Path) -> None:
    """A certificate of another account is refused, and the answer says so."""
    authority = Authority(tmp_path / "ca")
    ours = authority.issue("arc")
    tls = Tls(certificate=ours.certificate, key=ours.key, client_ca=authority.certificate)
    accounts = (Account(account=ACCOUNT), Account(account="999998"))
    async with sip_door(tmp_path / "state", tls=tls, accounts=accounts) as opened:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        context.load_cert_chain(*authority.issue(ACCOUNT))
        terminal = await opened.dial("TLS", context)
        statuses = {}
        for cid in (ACCOUNT, "999998"):
            terminal.send(terminal.request(report(cid, cid=cid)))
            assert (await terminal.response()).status == 200
            body = read_answer((await terminal.answer()).body)
            assert body is not None
            statuses[cid] = body.status
        assert statuses == {ACCOUNT: AnswerStatus.ACCEPTED, "999998": AnswerStatus.NOT_TREATED}
        assert opened.stored() == 1
