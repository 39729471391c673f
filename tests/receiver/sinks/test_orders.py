"""Orders to a sink and its refusals, over the real core: pauses, skips, replays, and the test of a sink."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import ANA, PATIENCE_S, SARA, core, until
from tests.rigs.sink_peer import HOMES, QUICK, SinkPeer, refusing, report, sending, settings_of, webhook
from vetlla.domain.errors import AccessError, UsageError
from vetlla.domain.onward import SinkState
from vetlla.receiver.sinks.contract import PeerAwayError

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.onward import Onward


def away() -> PeerAwayError:
    return PeerAwayError("no connection", remedy="check it")


# --- pauses -----------------------------------------------------------------------------------------------------------


async def test_a_weekend_of_pause_loses_nothing(tmp_path: Path, peer: SinkPeer) -> None:
    """A paused sink sends nothing, also after a restart; then it sends all of it, in order."""
    async with sending(tmp_path, peer) as rig:
        await rig.ask("sinks.pause", SARA, sink="city", reason="their server moves")
        await report(rig, 300)
        rig.clock.advance(30 * 3_600)
        clock = rig.clock
        sheet = (await rig.ask("sinks.list"))["sinks"][0]
        assert (sheet["state"], sheet["waiting"], sheet["lag_s"]) == ("paused", 300, 30 * 3_600)
        assert sheet["pause"] == {
            "since": "2026-01-01T00:00:00.000000Z",
            "operator": "sara",
            "reason": "their server moves",
        }
    settings = settings_of(tmp_path, webhook())
    async with core(
        tmp_path, settings=settings, accounts=HOMES, deliveries=lambda _, __: peer, bounds=QUICK, clock=clock
    ) as rig:
        await report(rig, 300)
        clock.advance(30 * 3_600)
        sink = rig.sinks.find("city")
        await until(lambda: sink.waiting == 600)
        assert sink.lag_s(clock.now()) == 60 * 3_600
        assert peer.calls == []
        answer = await rig.ask("sinks.resume", SARA, sink="city")
        assert (answer["operator"], answer["durable"], answer["sink"]["pause"]) == ("sara", True, None)
        await until(lambda: len(peer.taken) == 600)
        deeds = rig.read("SELECT actor, action, subject, detail FROM audit WHERE action LIKE '%sink'")
    assert peer.numbers == list(range(1, 601))
    assert [(one["actor"], one["action"], one["subject"]) for one in deeds] == [
        ("sara", "pause sink", "sink city"),
        ("sara", "resume sink", "sink city"),
    ]


async def test_a_pause_during_a_read_holds_back_what_was_read(tmp_path: Path, peer: SinkPeer) -> None:
    """A pause that is acknowledged lets nothing new begin."""
    async with sending(tmp_path, peer) as rig:
        outbox, gate, reading = rig.sinks._reading._outbox, threading.Event(), threading.Event()
        read = outbox.after

        def held(position: int, upto: int, limit: int) -> list[Onward]:
            reading.set()
            assert gate.wait(PATIENCE_S)
            return read(position, upto, limit)

        outbox.after = held  # type: ignore[method-assign] # of this test
        await report(rig, 3)
        assert await asyncio.to_thread(reading.wait, PATIENCE_S)
        await rig.ask("sinks.pause", SARA, sink="city", reason="now")
        gate.set()
        await rig.sinks.numbers(None, None)  # the same thread reads it, so the read above has ended
        await report(rig)
        assert peer.calls == []
        await rig.ask("sinks.resume", SARA, sink="city")
        await until(lambda: len(peer.taken) == 4)


async def test_a_peer_is_left_alone_for_the_time_that_it_asks_for(tmp_path: Path, peer: SinkPeer) -> None:
    """New signals do not shorten the pause; an engineer may."""

    def busy(_: object) -> int:
        raise PeerAwayError("busy", after_s=600)

    peer.answer = busy
    async with sending(tmp_path, peer) as rig:
        await report(rig)
        await until(lambda: rig.sinks.find("city").state is SinkState.RETRYING)
        for _ in range(20):
            await report(rig)
        assert len(peer.calls) == 1
        peer.answer = len
        await rig.ask("sinks.resume", SARA, sink="city")
        await until(lambda: len(peer.taken) == 21)


async def test_only_engineers_change_a_sink(tmp_path: Path, peer: SinkPeer) -> None:
    """Everyone may look; the others need the role."""
    asked: dict[str, dict[str, Any]] = {
        "sinks.pause": {"reason": "x"},
        "sinks.resume": {},
        "sinks.replay": {"reason": "x"},
        "sinks.unreplay": {},
        "sinks.skip": {"signal": 1, "reason": "x"},
        "sinks.test": {},
    }
    settings = settings_of(tmp_path, webhook(), control={"engineers": "engineers"})
    async with core(tmp_path, settings=settings, deliveries=lambda _, __: peer) as rig:
        for do, arguments in asked.items():
            with pytest.raises(AccessError):
                await rig.ask(do, ANA, sink="city", **arguments)
            with pytest.raises(UsageError, match="no sink town"):
                await rig.ask(do, SARA, sink="town", **arguments)
        assert (await rig.ask("sinks.list", ANA))["sinks"][0]["name"] == "city"


# --- refused content --------------------------------------------------------------------------------------------------


async def test_a_refused_signal_blocks_its_sink_until_it_is_skipped(tmp_path: Path, peer: SinkPeer) -> None:
    """The signals before it are sent, it is named, and nothing overtakes it. Skipping is audited with its reason."""
    peer.answer = refusing(7)
    async with sending(tmp_path, peer) as rig:
        await report(rig, 20)
        sink = rig.sinks.find("city")
        await until(lambda: sink.state is SinkState.BLOCKED)
        assert (peer.numbers, sink.blocked_on, sink.waiting) == ([1, 2, 3, 4, 5, 6], 7, 14)
        with pytest.raises(UsageError, match="not blocked on signal 8"):
            await rig.ask("sinks.skip", SARA, sink="city", signal=8, reason="a slip")
        answer = await rig.ask("sinks.skip", SARA, sink="city", signal=7, reason="they know of it")
        assert answer["durable"]
        await until(lambda: sink.waiting == 0)
        (deed,) = rig.read("SELECT actor, detail FROM audit WHERE action = 'skip signal'")
        assert (deed["actor"], deed["detail"]) == ("sara", '{"signal":7,"reason":"they know of it"}')
    assert peer.numbers == [number for number in range(1, 21) if number != 7]


async def test_a_repaired_peer_gets_the_refused_signal_by_itself(tmp_path: Path, peer: SinkPeer) -> None:
    """A blocked sink tries again, so that a repair of the peer needs no one here."""
    peer.answer = refusing(2)
    async with sending(tmp_path, peer) as rig:
        await report(rig, 4)
        sink = rig.sinks.find("city")
        await until(lambda: sink.state is SinkState.BLOCKED)
        peer.answer = len
        await until(lambda: sink.state is SinkState.WORKING and sink.waiting == 0)
    assert peer.numbers == [1, 2, 3, 4]


# --- replays ----------------------------------------------------------------------------------------------------------


async def test_a_replay_is_marked_and_new_signals_go_first(tmp_path: Path, peer: SinkPeer) -> None:
    """A replay is sent in its own order, in the time in which nothing new waits."""
    async with sending(tmp_path, peer) as rig:
        await report(rig, 30)
        sink = rig.sinks.find("city")
        await until(lambda: sink.waiting == 0)
        peer.gate.clear()
        answer = await rig.ask(
            "sinks.replay", SARA, sink="city", reason="they lost a disk", from_signal=5, to_signal=20
        )
        assert (answer["first"], answer["last"], answer["signals"]) == (5, 20, 16)
        await until(lambda: len(peer.calls) == 4)  # the first call of the replay is under way
        await report(rig, 3)
        peer.gate.set()
        await until(lambda: len(peer.taken) == 30 + 16 + 3)
        order = [(record.number, record.replayed) for record in peer.taken[30:]]
        new, again = [one for one, replayed in order if not replayed], [one for one, replayed in order if replayed]
        assert (new, again) == ([31, 32, 33], list(range(5, 21)))
        assert order[10:13] == [(31, False), (32, False), (33, False)]
        assert not sink.kept.replays


async def test_a_replay_by_time_goes_on_after_a_restart_and_can_be_ended(tmp_path: Path, peer: SinkPeer) -> None:
    """The range is found by the instants of receipt; only what was sent already is sent again."""
    async with sending(tmp_path, peer) as rig:
        await report(rig, 10)
        rig.clock.advance(3_600)
        since_us = rig.clock.now().utc_us
        await report(rig, 10)
        rig.clock.advance(3_600)
        until_us = rig.clock.now().utc_us
        await report(rig, 10)
        clock = rig.clock
        await until(lambda: len(peer.taken) == 30)
        await rig.ask("sinks.pause", SARA, sink="city", reason="so that the replay waits")
        asked: dict[str, Any] = {"sink": "city", "reason": "lost", "since_us": since_us, "until_us": until_us}
        assert (await rig.ask("sinks.replay", SARA, **asked, dry_run=True))["durable"] is None
        assert not rig.sinks.find("city").kept.replays
        await rig.ask("sinks.replay", SARA, **asked)
        with pytest.raises(UsageError, match="already sends signals again, up to 20"):
            await rig.ask("sinks.replay", SARA, **asked)
    settings = settings_of(tmp_path, webhook())
    async with core(
        tmp_path, settings=settings, accounts=HOMES, deliveries=lambda _, __: peer, bounds=QUICK, clock=clock
    ) as rig:
        await rig.ask("sinks.resume", SARA, sink="city")
        await until(lambda: len(peer.taken) == 40)
        assert [record.number for record in peer.taken[30:]] == list(range(11, 21))
        peer.gate.clear()
        await rig.ask("sinks.replay", SARA, sink="city", reason="again", from_signal=1)
        with pytest.raises(UsageError, match="already"):
            await rig.ask("sinks.replay", SARA, sink="city", reason="again", from_signal=1)
        await rig.ask("sinks.unreplay", SARA, sink="city")
        peer.gate.set()
        with pytest.raises(UsageError, match="sends nothing again"):
            await rig.ask("sinks.unreplay", SARA, sink="city")
        with pytest.raises(UsageError, match="no stored signal in this range"):
            await rig.ask("sinks.replay", SARA, sink="city", reason="again", since_us=clock.now().utc_us + 1)
        with pytest.raises(UsageError, match="needs a beginning"):
            await rig.ask("sinks.replay", SARA, sink="city", reason="again", to_signal=3)


# --- tests of a sink --------------------------------------------------------------------------------------------------


async def test_an_invented_signal_tells_how_the_peer_answers(tmp_path: Path, peer: SinkPeer) -> None:
    """It is marked, and neither stored nor counted, and moves no position."""
    async with sending(tmp_path, peer) as rig:
        answer = await rig.ask("sinks.test", SARA, sink="city")
        assert (answer["ok"], answer["address"]) == (True, "peer.example:443")
        (sent,) = peer.taken
        assert (sent.test, sent.number, sent.signal.text) == (True, 0, "Invented by vetlla sinks test")
        peer.answer = lambda _: (_ for _ in ()).throw(away())
        answer = await rig.ask("sinks.test", SARA, sink="city")
        assert (answer["ok"], answer["why"], answer["remedy"]) == (False, "no connection", "check it")
        assert rig.sinks.find("city").kept.position == 0
