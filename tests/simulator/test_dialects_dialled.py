"""Simulated terminals of every protocol over real sockets, with mishaps, outages and silence."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.rigs.drills import HANDHELD, STORED_FORMS, UNANSWERED, scenario
from tests.rigs.peer import listening
from vetlla.domain.signals import Kind
from vetlla.simulator.dialects.registry import DIALECTS
from vetlla.simulator.drive import drive
from vetlla.simulator.message import Fate, Message
from vetlla.simulator.scenario import Connection, Outage, Silence, Transport
from vetlla.simulator.statistics import Counts
from vetlla.simulator.weights import Faults, Mix

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])


# --- over real sockets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", HANDHELD)
@pytest.mark.parametrize("connection", list(Connection))
async def test_every_report_arrives_once(protocol: str, connection: Connection) -> None:
    """Each report arrives once and is acknowledged (or sent, without an answer), on kept or new connections."""
    async with listening(protocol=protocol) as peer:
        report = await drive(scenario(peer.port, protocol, connection=connection))
        await until(lambda: peer.ended == peer.connections)
    assert (report.told, report.acknowledged + report.sent, report.lost, report.malformed) == (60, 60, 0, 0)
    assert report.complete
    assert bool(report.sent) is (protocol in UNANSWERED)
    assert (report.repeated, report.stray, report.dropped, peer.rejects) == (0, 0, 0, [])
    logins = report.connections if protocol in {"minifinder", "thinkrace"} else 0
    assert len(peer.signals) == 60 + logins


async def until(fits: Any) -> None:  # noqa: ANN401 - a function without arguments
    while not fits():  # noqa: ASYNC110 - the condition has no event
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("protocol", HANDHELD)
async def test_mishaps_lose_nothing(protocol: str) -> None:
    """All reports arrive, although frames are torn, batched, repeated and (with a checksum) damaged."""
    faults = Faults(torn=0.5, batch=0.3, retry=0.2, damage=0.3 if protocol == "eview" else 0.0)
    async with listening(protocol=protocol) as peer:
        report = await drive(scenario(peer.port, protocol, faults=faults))
    assert (report.acknowledged + report.sent, report.lost, report.malformed) == (60, 0, 0)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
async def test_a_queclink_terminal_may_send_datagrams(transport: Transport) -> None:
    """Over UDP each report is a datagram, and so is its answer. A duplicate may use the other transport."""
    async with listening(protocol="queclink") as peer:
        report = await drive(scenario(peer.port, "queclink", transport=transport, faults=Faults(duplicate=0.5)))
    assert report.acknowledged == 60
    assert report.second_path == report.duplicated > 0


@pytest.mark.parametrize("protocol", sorted(set(HANDHELD) - {"minifinder"}))
async def test_an_unanswered_report_is_repeated_and_then_lost(protocol: str) -> None:
    """A terminal repeats an unanswered report with the same bytes, and gives it up after the last attempt."""
    async with listening(protocol=protocol) as peer:
        peer.garble = lambda answer: answer if b"BP00" in answer else b""
        options: dict[str, Any] = {"homes": 1, "reports": 1, "timeout_s": 0.1, "attempts": 3}
        mix = Mix(alarms=1, technical=0, tests=0, heartbeats=0)
        report = await drive(scenario(peer.port, protocol, mix=mix, **options))
    assert (report.lost, report.repeated, report.complete) == (1, 2, False)
    sos = [signal.raw for signal in peer.signals if signal.event.kind is not Kind.HEARTBEAT]
    assert len(sos) == 3
    assert len(set(sos)) == 1


@pytest.mark.parametrize(("answer", "malformed"), [(b"", 0), (b"IWBP00,1,0#", 2)])
async def test_a_login_that_is_not_answered_costs_an_attempt(answer: bytes, malformed: int) -> None:
    """A Thinkrace watch sends no report before the receiver has answered its login correctly."""
    async with listening(protocol="thinkrace") as peer:
        peer.garble = lambda _: answer
        options: dict[str, Any] = {"homes": 1, "reports": 1, "timeout_s": 0.1, "attempts": 2}
        report = await drive(scenario(peer.port, "thinkrace", connection=Connection.EACH, **options))
    assert (report.lost, report.dropped, report.malformed) == (1, 2, malformed)
    assert {signal.event.code for signal in peer.signals} == {"AP00"}


async def test_a_pico_whose_receiver_is_gone_has_lost_its_report() -> None:
    """Even without acknowledgements a report is lost if no machine takes its bytes."""
    async with listening(protocol="minifinder") as peer:
        port = peer.port
    report = await drive(scenario(port, "minifinder", homes=1, reports=1, attempts=2))
    assert (report.sent, report.lost, report.dropped) == (0, 1, 2)


# --- outages and silence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", sorted(DIALECTS))
async def test_a_fleet_returns_from_an_outage_with_its_backlog(protocol: str) -> None:
    """All lines break. Homes send what became due meanwhile over new lines when they return, and nothing is lost."""
    said: list[str] = []
    fates: list[Fate] = []
    async with listening(protocol=protocol) as peer:
        outage = Outage(after_s=0.3, length_s=0.4, return_within_s=0.2)
        wanted = scenario(peer.port, protocol, rate=200.0, duration_s=1.2, outage=outage)
        report = await drive(wanted, tell=said.append, settled=lambda message: fates.append(message.fate))
    assert report.complete
    assert report.lost == fates.count(Fate.LOST) == 0
    assert report.cut == 5
    assert report.backlog > 20
    assert report.backlog_s is not None
    assert report.connections >= 10, "every home dialled again"
    assert report.dropped == 0, "an outage is not a fault of the receiver"
    if STORED_FORMS.get(protocol):
        assert sum(signal.buffered for signal in peer.signals) > 0
    assert ["fails" in one for one in said] == [True, False, False]


async def test_an_outage_that_is_cut_short_ends_at_once() -> None:
    """If a run is stopped during an outage, its homes return at once and nothing is lost."""
    stop, counts = asyncio.Event(), Counts()
    said: list[str] = []
    async with listening() as peer:
        outage = Outage(after_s=0.1, length_s=1000.0, return_within_s=1000.0)
        wanted = scenario(peer.port, "dc09", rate=100.0, duration_s=3000.0, outage=outage)
        running = asyncio.ensure_future(drive(wanted, stop=stop, tell=said.append, counts=counts))
        await until(lambda: said)
        told = counts.told
        await until(lambda: counts.told > told + 5)
        stop.set()
        report = await running
    assert report.complete
    assert report.backlog > 0


async def test_the_time_without_network_is_no_latency_of_the_receivers() -> None:
    """The latency of a message that became due in an outage counts from its home's return."""
    async with listening(protocol="eview") as peer:
        outage = Outage(after_s=0.1, length_s=5.0)
        report = await drive(scenario(peer.port, "eview", rate=50.0, duration_s=5.2, outage=outage))
    assert report.complete
    assert report.max_us is not None
    assert report.max_us < 4_000_000


@pytest.mark.parametrize("rate", [200.0, None])
async def test_silent_homes_keep_their_lines(rate: float | None) -> None:
    """The report names the silent homes. They send nothing more, and stay connected until the end."""
    last: dict[str, int] = {}
    silenced_ns: list[int] = []
    ended: list[int] = []

    def settled(message: Message) -> None:
        last[message.home.account] = max(message.due_ns, last.get(message.home.account, 0))

    async with listening(protocol="eview") as peer:
        stop = asyncio.Event()

        async def look() -> None:
            await stop.wait()
            ended.append(peer.ended)

        looking = asyncio.ensure_future(look())
        silence = Silence(share=0.4, after_s=0.3)
        wanted = scenario(peer.port, "eview", rate=rate, duration_s=1.6, silence=silence)
        report = await drive(wanted, stop=stop, settled=settled, tell=lambda _: silenced_ns.append(time.monotonic_ns()))
        await looking
    assert len(report.silent) == 2
    assert report.complete
    assert ended == [0], "no line ends before the run does"
    assert len(last) == 5, "the receiver heard each home before the silence"
    talking = {account for account, due_ns in last.items() if due_ns > silenced_ns[0]}
    assert talking == last.keys() - set(report.silent)
