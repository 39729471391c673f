"""Sinks over the real core: order, at least once, the filter, and that the intake never waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import PATIENCE_S, SARA, core, signal, until
from tests.rigs.sink_peer import HOMES, QUICK, SinkPeer, report, sending, settings_of, webhook
from vetlla.domain.onward import SinkState
from vetlla.domain.signals import Kind
from vetlla.receiver.sinks.contract import PeerAwayError
from vetlla.settings.model import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.sinks.model import Sink


class KilledError(Exception):
    """The receiver ends here as by kill -9."""


def away() -> PeerAwayError:
    return PeerAwayError("no connection", remedy="check it")


# --- order and completeness -------------------------------------------------------------------------------------------


async def test_stored_signals_are_sent_in_order(tmp_path: Path, peer: SinkPeer) -> None:
    """Each signal is sent once, in the order of the numbers, with what its reader needs."""
    async with sending(tmp_path, peer) as rig:
        await report(rig, 25)
        await until(lambda: len(peer.taken) == 25)
        assert peer.numbers == list(range(1, 26))
        assert max(map(len, peer.calls)) <= peer.at_once
        one = peer.taken[0]
        assert (one.home, one.labels, one.listener, one.signal.id.account) == (
            "H-1",
            ("operator:orange",),
            "dc09",
            "1234",
        )
        assert one.district == "01"
        assert one.received_us == rig.clock.now().utc_us
        sink = rig.sinks.find("city")
        assert (sink.waiting, sink.delivered, sink.lag_s(rig.clock.now())) == (0, 25, 0)
    assert peer.closed == 1


async def test_a_new_sink_begins_at_the_end(tmp_path: Path, peer: SinkPeer) -> None:
    """What was stored before a sink was configured is not sent."""
    async with core(tmp_path, accounts=HOMES) as rig:
        await report(rig, 3)
    async with sending(tmp_path, peer) as rig:
        await report(rig, 2)
        await until(lambda: len(peer.taken) == 2)
    assert peer.numbers == [4, 5]


async def test_a_new_sink_loses_nothing_if_the_receiver_is_killed_before_it_sent(
    tmp_path: Path, peer: SinkPeer
) -> None:
    """The row of a new sink is committed with the first signal that it has to send."""
    peer.gate.clear()
    with suppress(KilledError):
        async with sending(tmp_path, peer) as rig:
            await report(rig, 2)
            raise KilledError
    peer.gate.set()
    async with sending(tmp_path, peer) as rig:
        await report(rig)
        await until(lambda: len(peer.taken) == 3)
    assert peer.numbers == [1, 2, 3]


async def test_a_sink_goes_on_where_it_was(tmp_path: Path, peer: SinkPeer) -> None:
    """A stopped receiver wrote the position; what came while the sink was away is sent after the next start."""
    async with sending(tmp_path, peer) as rig:
        await report(rig, 3)
        await until(lambda: len(peer.taken) == 3)
    async with core(tmp_path, accounts=HOMES) as rig:
        await report(rig, 2)  # this run had no sink
    async with sending(tmp_path, peer) as rig:
        await report(rig)
        await until(lambda: len(peer.taken) == 6)
    assert peer.numbers == [1, 2, 3, 4, 5, 6]


async def test_a_backlog_is_sent_in_order(tmp_path: Path, peer: SinkPeer) -> None:
    """Signals of several reads wait while the peer is away, and are counted and aged."""
    peer.answer = lambda _: (_ for _ in ()).throw(away())
    async with sending(tmp_path, peer) as rig:
        await report(rig, 1_200)
        sink = rig.sinks.find("city")
        await until(lambda: sink.state is SinkState.RETRYING)
        rig.clock.advance(60 * 3_600)
        assert sink.lag_s(rig.clock.now()) == 60 * 3_600
        assert sink.waiting == 1_200
        peer.answer = len
        await until(lambda: len(peer.taken) == 1_200)
        assert peer.numbers == list(range(1, 1_201))
        assert (sink.state, sink.waiting) == (SinkState.WORKING, 0)


async def test_what_the_peer_took_of_a_call_is_not_sent_again(tmp_path: Path, peer: SinkPeer) -> None:
    """A peer that takes a part of the signals gets the rest with the next call."""
    peer.answer = lambda records: min(3, len(records))
    async with sending(tmp_path, peer) as rig:
        await report(rig, 10)
        await until(lambda: len(peer.taken) == 10)
    assert peer.numbers == list(range(1, 11))


# --- the filter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "sent"),
    [
        ({"priorities": ("LIFE",)}, [1, 3]),
        ({"kinds": (Kind.BATTERY_LOW,)}, [2]),
        ({"labels": ("operator:orange",)}, [1, 2]),
        ({"districts": ("01", "02")}, [1, 2]),
        ({"districts": ("02",)}, []),
        ({"listeners": ("dc09",)}, [1, 2, 3]),
        ({"listeners": ("other",)}, []),
    ],
)
async def test_a_filter_leaves_signals_out(
    tmp_path: Path, peer: SinkPeer, filters: dict[str, Any], sent: list[int]
) -> None:
    """A signal that is left out is passed: it neither waits nor counts as lag."""
    async with sending(tmp_path, peer, **filters) as rig:
        await report(rig)
        await report(rig, kind=Kind.BATTERY_LOW, code="302")
        await report(rig, account="5678")
        sink = rig.sinks.find("city")
        await until(lambda: sink.kept.position == 3)
        assert (peer.numbers, sink.waiting, sink.lag_s(rig.clock.now())) == (sent, 0, 0)


async def test_districts_are_known_beside_a_line_receiver(tmp_path: Path, peer: SinkPeer) -> None:
    """The accounts of line receivers are added to those of the registry, and the districts stay."""
    line = {"name": "sg-1", "protocol": "surgard", "connect": {"host": "127.0.0.1", "port": 1025}}
    plain = settings_of(tmp_path, webhook(districts=("01",)))
    settings = Settings.model_validate({**plain.model_dump(exclude_unset=True), "line": (line,)})
    districts = {"H-1": "01"}
    async with core(
        tmp_path, settings=settings, accounts=HOMES, districts=districts, deliveries=lambda _, __: peer
    ) as rig:
        await report(rig)
        await until(lambda: len(peer.taken) == 1)


async def test_tests_are_sent_only_if_that_is_wanted(tmp_path: Path, peer: SinkPeer) -> None:
    """An alarm of an installer's test must not reach another system unasked."""
    for on_test, sent in ((False, []), (True, [2])):
        async with sending(tmp_path, peer, on_test=on_test) as rig:
            if not on_test:
                await rig.ask("queue.test", SARA, account="1234", seconds=600, reason="installer on site")
            await report(rig)
            await until(lambda: rig.sinks.find("city").waiting == 0)
        assert peer.numbers == sent


# --- the intake never waits -------------------------------------------------------------------------------------------


async def test_a_peer_that_hangs_delays_no_answer(tmp_path: Path, peer: SinkPeer) -> None:
    """Reports are stored and answered while the peer answers nothing, and the sink holds one read of them at most."""
    peer.gate.clear()
    async with sending(tmp_path, peer) as rig:
        await report(rig, 700)  # returns when all are acknowledged
        await until(lambda: len(peer.calls) == 1)
        assert len(peer.calls[0]) == 1 or len(peer.calls[0]) <= peer.at_once
        assert rig.counters.committed_signals == 700
        peer.gate.set()
        await until(lambda: len(peer.taken) == 700)


async def test_a_fault_of_one_sink_stops_no_other(tmp_path: Path) -> None:
    """An exception that no contract names is logged, and the sink tries again."""
    peers = {"bad": SinkPeer(), "good": SinkPeer()}

    def broken(_: object) -> int:
        raise ZeroDivisionError("a fault of ours")

    peers["bad"].answer = broken
    settings = settings_of(tmp_path, webhook("bad"), webhook("good"))

    def deliveries(sink: Sink, _: object) -> SinkPeer:
        return peers[sink.name]

    async with core(tmp_path, settings=settings, accounts=HOMES, deliveries=deliveries, bounds=QUICK) as rig:
        await report(rig, 5)
        await until(lambda: len(peers["good"].taken) == 5 and len(peers["bad"].calls) > 2)
        assert rig.sinks.find("bad").state is SinkState.RETRYING
        peers["bad"].answer = len
        await until(lambda: len(peers["bad"].taken) == 5)
    assert peers["bad"].numbers == peers["good"].numbers == [1, 2, 3, 4, 5]


async def test_without_a_sink_nothing_takes_part_in_a_commit(tmp_path: Path) -> None:
    """A receiver without sinks does for a frame what it did before there were any."""
    async with core(tmp_path) as rig:
        assert not any(part is rig.sinks.positions for part in rig.commit.participants)
        await report(rig)
        assert all(not batch.sinks for batch in rig.journal.written)


# --- the journal ------------------------------------------------------------------------------------------------------


async def test_a_former_sink_is_remembered(tmp_path: Path, peer: SinkPeer) -> None:
    """A sink that is no longer configured keeps its position, and is shown as such."""
    async with sending(tmp_path, peer) as rig:
        await report(rig, 3)
        await until(lambda: len(peer.taken) == 3)
    async with core(
        tmp_path, settings=settings_of(tmp_path, webhook("other")), deliveries=lambda _, __: SinkPeer()
    ) as rig:
        listed = await rig.ask("sinks.list")
        assert [one["name"] for one in listed["sinks"]] == ["other"]
        assert [(one["name"], one["position"]) for one in listed["others"]] == [("city", 3)]


async def test_an_order_that_the_disk_refused_is_written_later(tmp_path: Path, peer: SinkPeer) -> None:
    """A pause holds at once, is reported as not durable, and is written when the disk works again."""
    async with sending(tmp_path, peer) as rig:
        await report(rig)
        rig.journal.failing = True
        answer = await rig.ask("sinks.pause", SARA, sink="city", reason="now")
        assert not answer["durable"]
        assert rig.sinks.find("city").state is SinkState.PAUSED
        await rig.healed()
        await rig.sync()
        assert rig.read("SELECT paused_by FROM sinks")[0]["paused_by"] == "sara"


async def test_signals_of_a_failed_commit_are_never_sent(tmp_path: Path, peer: SinkPeer) -> None:
    """A sink sends only what is durable, and the numbers of a failed batch are given out again."""
    async with sending(tmp_path, peer) as rig:
        rig.journal.failing = True
        told = await asyncio.wait_for(rig.submit(signal()), PATIENCE_S)
        assert told.verdicts is None
        await rig.healed()
        await report(rig, 2, account="5678")
        await until(lambda: len(peer.taken) == 2)
        assert {record.signal.id.account for record in peer.taken} == {"5678"}
