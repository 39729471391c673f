"""What a sink does after an attempt that failed: a refused replay, a start that fails, a read that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from tests.rigs.core import SARA, signal, until
from tests.rigs.sink_peer import QUICK, SinkPeer, refusing, report, sending
from vetlla.domain.errors import StoreError
from vetlla.domain.onward import Onward, SinkState
from vetlla.domain.signals import Flag, Priority
from vetlla.receiver.sinks.contract import PeerAwayError
from vetlla.receiver.sinks.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PATIENT = QUICK.sinks._replace(blocked_retry_s=3_600.0)
"""A refused signal is not sent again within a test, unless an engineer wants it."""


def refusing_again(*numbers: int) -> Callable[[Sequence[Onward]], int]:
    """Return the answer of a peer that refuses these signals in a replay."""
    refuse = refusing(*numbers)
    return lambda records: refuse(records) if records[0].replayed else len(records)


# --- a refused replay -------------------------------------------------------------------------------------------------


async def test_a_refused_signal_of_a_replay_holds_back_no_new_one(tmp_path: Path, peer: SinkPeer) -> None:
    """New signals are sent at once, the refusal is logged once, and an engineer can leave the signal out."""
    peer.answer = refusing_again(3)
    with capture_logs() as logged:
        async with sending(tmp_path, peer, bounds=PATIENT) as rig:
            await report(rig, 10)
            sink = rig.sinks.find("city")
            await until(lambda: sink.waiting == 0)
            await rig.ask("sinks.replay", SARA, sink="city", reason="lost", from_signal=1, to_signal=5)
            await until(lambda: sink.blocked_on == 3)
            for number in (11, 12, 13):
                await report(rig)
                await until(lambda: peer.numbers[-1] == number)  # noqa: B023 - it is awaited here
                assert (sink.state, sink.blocked_on) == (SinkState.BLOCKED, 3)
                assert sink.why == "the content is refused"
            assert peer.calls.count([3]) == 1
            await rig.ask("sinks.resume", SARA, sink="city")
            await until(lambda: peer.calls.count([3]) == 2)
            await rig.ask("sinks.skip", SARA, sink="city", signal=3, reason="they know of it")
            await until(lambda: not sink.kept.replays)
            assert (sink.state, sink.waiting) == (SinkState.WORKING, 0)
    assert [record.number for record in peer.taken if record.replayed] == [1, 2, 4, 5]
    assert [one["signal"] for one in logged if one["event"] == "sink.blocked"] == [3]


async def test_a_blocked_replay_that_is_ended_blocks_nothing(tmp_path: Path, peer: SinkPeer) -> None:
    """Nothing is left to refuse, and a second replay begins with an attempt."""
    peer.answer = refusing_again(3)
    async with sending(tmp_path, peer, bounds=PATIENT) as rig:
        await report(rig, 5)
        sink = rig.sinks.find("city")
        await until(lambda: sink.waiting == 0)
        await rig.ask("sinks.replay", SARA, sink="city", reason="lost", from_signal=1)
        await until(lambda: sink.blocked_on == 3)
        await rig.ask("sinks.unreplay", SARA, sink="city")
        assert (sink.state, sink.blocked_on, sink.why) == (SinkState.WORKING, None, "")
        peer.answer = len
        await rig.ask("sinks.replay", SARA, sink="city", reason="lost", from_signal=3)
        await until(lambda: not sink.kept.replays)
    assert [record.number for record in peer.taken if record.replayed] == [1, 2, 3, 4, 5]


async def test_skipping_the_last_sent_signal_in_a_replay_leaves_the_count(tmp_path: Path, peer: SinkPeer) -> None:
    """It is not above the position, so it did not wait."""
    peer.answer = refusing_again(3)
    async with sending(tmp_path, peer, bounds=PATIENT) as rig:
        await report(rig, 3)
        sink = rig.sinks.find("city")
        await until(lambda: sink.waiting == 0)
        await rig.ask("sinks.replay", SARA, sink="city", reason="lost", from_signal=1)
        await until(lambda: sink.blocked_on == 3)
        await rig.ask("sinks.skip", SARA, sink="city", signal=3, reason="they know of it")
        assert (sink.waiting, sink.kept.position, sink.kept.replays) == (0, 3, False)


# --- faults at the start and of the disk ------------------------------------------------------------------------------


async def test_a_backlog_is_counted_once_if_the_start_fails(tmp_path: Path, peer: SinkPeer) -> None:
    """A port that cannot be opened is tried again, without another count."""
    peer.gate.clear()
    async with sending(tmp_path, peer) as rig:
        await report(rig, 3)
    begins: list[int] = []

    async def begin() -> None:
        begins.append(len(peer.calls))
        if len(begins) < 4:
            raise PeerAwayError("the port is in use", remedy="free it")

    peer.begin = begin  # type: ignore[method-assign] # of this test
    peer.calls.clear()
    async with sending(tmp_path, peer) as rig:
        await until(lambda: bool(peer.calls))
        assert (rig.sinks.find("city").waiting, begins) == (3, [0, 0, 0, 0])
        peer.gate.set()
        await until(lambda: rig.sinks.find("city").waiting == 0)


async def test_signals_that_cannot_be_read_have_an_age(tmp_path: Path, peer: SinkPeer) -> None:
    """The alert about a late sink fires while the journal cannot be read."""
    async with sending(tmp_path, peer) as rig:
        outbox = rig.sinks._reading._outbox
        read, failures = outbox.after, []

        def fail(_position: int, _upto: int, _limit: int) -> list[Onward]:
            failures.append(1)
            raise StoreError("the disk fails")

        outbox.after = fail  # type: ignore[assignment, method-assign] # of this test
        await report(rig)
        sink = rig.sinks.find("city")
        await until(lambda: len(failures) > 2)
        rig.clock.advance(100)
        assert (sink.lag_s(rig.clock.now()), sink.state) == (100, SinkState.RETRYING)
        outbox.after = read  # type: ignore[method-assign]
        await until(lambda: sink.waiting == 0)
        assert sink.lag_s(rig.clock.now()) == 0


# --- pieces -----------------------------------------------------------------------------------------------------------


def test_a_piece_that_was_tried_is_cut_again_as_it_was() -> None:
    """Newer signals and labels do not change it; the erasure of a home and an order of an engineer do."""
    labels = ["a:b"]
    pieces = Pieces(
        lambda bare: bare._replace(labels=tuple(labels)), lambda one: not one.is_erased and "no" not in one.labels
    )
    records = [Onward(number, 0, signal(), "H-1", Priority.LIFE, Flag(0), None, "dc09") for number in range(1, 6)]
    piece = pieces.cut(records[:2], 3)
    pieces.tries(piece)
    labels.append("c:d")
    assert pieces.cut(records, 3) == piece
    assert [one.number for one in pieces.cut(records[2:], 3).wanted] == [3, 4, 5]
    erased = [records[0], records[1]._replace(home=""), *records[2:]]
    assert [one.number for one in pieces.cut(erased, 3).wanted] == [1, 3, 4]
    pieces.settled(piece)
    assert [one.labels for one in pieces.cut(records, 1).wanted] == [("a:b", "c:d")]
    pieces.tries(piece)
    pieces.forget()
    assert len(pieces.cut(records, 3).wanted) == 3
