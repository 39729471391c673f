"""The path of a frame, with a decoder whose frames are single letters."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import Core, core, signal, small
from vetlla.domain.accounts import Account
from vetlla.domain.signals import Hangup, Item, Reason, Reject, Reply, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import EVENTS_MAX
from vetlla.receiver.counters import Refusal
from vetlla.receiver.session import Peer, SessionServices, StreamSession
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.history import newest, signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from vetlla.domain.signals import Verdict

MANY = 1_350
"""Events that fit into a datagram of 4 kB."""
KEYED = Account(account="5678", key_name="spring")


class Letters:
    """A protocol in which a frame is a letter and a dot; an incomplete frame waits.

    a and b are reports; c is one that cannot be answered, d one of two parts, m one of many, e one that is refused. r
    asks for a reply, x and f cannot be read, h ends the connection.
    """

    def __init__(self) -> None:
        self._pending = b""
        self.answered: list[tuple[bytes, Verdict]] = []

    def feed(self, data: bytes) -> list[Item]:
        *frames, self._pending = (self._pending + data).split(b".")
        return [item for frame in frames for item in self._items(frame.strip())]

    def finish(self) -> list[Item]:
        return (
            [Reject(protocol="dc09", reason=Reason.TRUNCATED, raw=self._pending, text="cut")] if self._pending else []
        )

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        if signal.raw == b"c.":
            raise ZeroDivisionError
        self.answered.append((signal.raw, verdict))
        return signal.raw.upper()

    def _items(self, letter: bytes) -> list[Item]:
        raw = letter + b"."
        match letter:
            case b"r":
                return [Reply(data=b"R!")]
            case b"h":
                return [Hangup(text="enough")]
            case b"x" | b"f":
                reason = Reason.FOREIGN if letter == b"f" else Reason.MALFORMED
                return [Reject(protocol="dc09", reason=reason, raw=raw, text="no letter of mine")]
            case b"d" | b"m":
                parts = MANY if letter == b"m" else 2
                return [signal(raw=raw, device=f"{part}", part=part, parts=parts) for part in range(1, parts + 1)]
            case b"e":
                return [signal("5678", raw=raw)]
            case _:
                return [signal(raw=raw)]


class Wire:
    """The other end of a session."""

    def __init__(self, rig: Core, peer: str = "192.0.2.7:40000") -> None:
        self.core = rig
        self.decoder = Letters()
        self.sent = b""
        self.ended: list[Refusal] = []
        self.drained = 0
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        told = Peer("dc09", "dc09", "tcp", peer, self._send, self.ended.append)
        self.session = StreamSession(services, told, self.decoder, rig.clock.now())

    def _send(self, data: bytes) -> None:
        self.sent += data


@asynccontextmanager
async def wire(directory: Path, **limits: object) -> AsyncIterator[Wire]:
    settings = small(directory, limits=limits)
    async with core(directory, settings=settings, accounts=[KEYED]) as rig:
        yield Wire(rig)


async def test_answers_keep_the_order_of_the_frames(tmp_path: Path) -> None:
    """A reply and a refusal that are known at once wait for the acknowledgements of the frames before them."""
    async with wire(tmp_path) as one:
        one.core.journal.gate.clear()
        one.session.feed(b"a.r.e.b.")
        assert (one.sent, one.session.owed) == (b"", 4)
        one.core.journal.gate.set()
        await one.core.sync()
        assert (one.sent, one.session.owed) == (b"A.R!E.B.", 0)
        assert one.core.counters.replies["dc09"] == 1


async def test_a_frame_of_several_parts_is_answered_once(tmp_path: Path) -> None:
    """Its last part is answered, when all parts are durable."""
    async with wire(tmp_path) as one:
        one.session.feed(b"d.")
        assert one.session.owed == 1
        await one.core.sync()
        assert one.sent == b"D."
        assert [verdict.outcome for _, verdict in one.decoder.answered] == [VerdictOutcome.STORED]
        assert len(one.core.read("SELECT id FROM signals")) == 2


async def test_a_frame_of_very_many_parts_is_bounded(tmp_path: Path) -> None:
    """Further parts are one alarm that gives their number; the bytes of all are stored once, and found with each."""
    async with wire(tmp_path) as one:
        one.session.feed(b"m.")
        await one.core.sync()
        assert one.sent == b"M."
        rows = one.core.read("SELECT device, kind, text, part, parts, raw FROM signals ORDER BY id")
        assert [row["device"] for row in rows] == [*(f"{part}" for part in range(1, EVENTS_MAX + 1)), ""]
        assert {row["parts"] for row in rows} == {EVENTS_MAX + 1}
        last = rows[-1]
        assert (last["kind"], last["part"]) == ("unreadable", EVENTS_MAX + 1)
        assert f"and {MANY - EVENTS_MAX} more events" in last["text"]
        assert [bytes(row["raw"]) for row in rows] == [b"m."] + [b""] * EVENTS_MAX
        assert any("unreadable more" in alarm["why"] for alarm in await one.core.open_alarms())
        with Archive(one.core.directory) as archive:
            assert {stored.signal.raw for stored in newest(archive, signals(), 100)} == {b"m."}


async def test_parts_after_a_repetition_keep_their_bytes(tmp_path: Path) -> None:
    """The first part that is stored has the bytes, although an earlier part is a repetition."""
    async with core(tmp_path) as rig:
        first = signal(identity=b"1", raw=b"old")
        await rig.submit(first)
        later = [first._replace(raw=b"new", part=1, parts=3)]
        later += [signal(code=f"11{part}", raw=b"new", part=part, parts=3) for part in (2, 3)]
        await rig.submit(*later)
        with Archive(tmp_path) as archive:
            assert [stored.signal.raw for stored in newest(archive, signals(), 100)] == [b"old", b"new", b"new"]


async def test_no_acknowledgement_after_a_failure(tmp_path: Path) -> None:
    """If nothing could be stored, the receiver hangs up without an answer; earlier good frames are answered."""
    async with wire(tmp_path) as one:
        one.session.feed(b"a.")
        await one.core.sync()
        one.core.journal.failing = True
        one.session.feed(b"b.a.")
        await one.core.sync()
        assert (one.sent, one.session.owed) == (b"A.", 0)
        assert one.ended == [Refusal.NOT_READY, Refusal.NOT_READY]
        one.core.journal.failing = False


async def test_a_decoder_that_cannot_answer_harms_only_its_peer(tmp_path: Path) -> None:
    """If a decoder fails to answer, its peer gets no answer, other peers get theirs, and the log shows it."""
    async with wire(tmp_path) as one:
        other = Wire(one.core, "198.51.100.9:1")
        with capture_logs() as log:
            one.session.feed(b"c.")
            other.session.feed(b"a.")
            await one.core.sync()
        assert (one.sent, other.sent) == (b"", b"A.")
        assert (one.session.owed, one.ended) == (0, [Refusal.NOT_READY])
        assert [line["event"] for line in log] == ["decoder.failed"]
        assert len(await one.core.open_alarms()) == 1


async def test_the_listener_is_called_after_the_last_answer(tmp_path: Path) -> None:
    """The listener is called when no answer is due any longer, and not before."""
    async with wire(tmp_path) as one:
        calls: list[bytes] = []
        one.session.on_drained = lambda: calls.append(one.sent)
        one.session.feed(b"a.b.")
        assert calls == []
        await one.core.sync()
        assert calls == [b"A.B."]


async def test_a_peer_counts_as_heard_after_a_whole_report(tmp_path: Path) -> None:
    """Damaged bytes and half a frame do not count as a report."""
    async with wire(tmp_path) as one:
        one.session.feed(b"x.a")
        assert not one.session.heard
        one.session.feed(b".")
        assert one.session.heard


async def test_the_remainder_is_evidence(tmp_path: Path) -> None:
    """An incomplete frame at the end of the connection is kept as evidence."""
    async with wire(tmp_path) as one:
        one.session.feed(b"a.b")
        one.session.finish()
        await one.core.sync()
        assert [row["reason"] for row in one.core.read("SELECT reason FROM rejects")] == ["truncated"]


@pytest.mark.parametrize(
    ("said", "why"),
    [(b"h.", Refusal.HANGUP), (b"f.h.", Refusal.FOREIGN), (b"x.x.x.", Refusal.BOGUS)],
)
async def test_the_reasons_to_disconnect_a_peer(tmp_path: Path, said: bytes, why: Refusal) -> None:
    """The reasons are the decoder's wish, another protocol, or too many rejects."""
    async with wire(tmp_path, bogus_frames=3) as one:
        one.session.feed(said)
        assert one.ended == [why]


async def test_a_repeated_fault_is_logged_seldom(tmp_path: Path) -> None:
    """A peer's fault is logged once a minute, whatever port it calls from; the next line has the number."""
    async with wire(tmp_path) as one:
        with capture_logs() as log:
            for port in range(5):
                Wire(one.core, f"192.0.2.7:{port}").session.feed(b"x.")
            Wire(one.core, "198.51.100.9:1").session.feed(b"x.")
            one.core.clock.advance(60)
            one.session.feed(b"x.")
        said = [(line["peer"], line["suppressed"]) for line in log if line["event"] == "frame.rejected"]
        assert said == [("192.0.2.7:0", 0), ("198.51.100.9:1", 0), ("192.0.2.7:40000", 4)]


BEGINNINGS = [
    # Bytes that come and the seconds before each of them; then the time that each report took to come.
    ([(3, b"a.")], [3]),
    ([(3, b"a"), (2, b".")], [5]),
    ([(0, b"a."), (9, b"b.")], [0, 0]),
    ([(0, b"a.b"), (2, b".")], [0, 2]),
    ([(0, b"a."), (9, b"b"), (2, b".a"), (1, b".")], [0, 2, 1]),
    ([(0, b"a."), (1, b"\r\n\0"), (9, b"b.")], [0, 0]),
    ([(0, b"a.\r\n"), (9, b"b.")], [0, 0]),
    ([(0, b"a"), (1, b".\r\n"), (9, b"b.")], [1, 0]),
    ([(0, b"x.b"), (4, b".")], [4]),
    ([(0, b"a.r."), (9, b"b.")], [0, 0]),
]


@pytest.mark.parametrize(("came", "expected"), BEGINNINGS)
async def test_a_communication_begins_with_its_first_byte(
    tmp_path: Path, came: list[tuple[float, bytes]], expected: list[float]
) -> None:
    """The first report counts from the connection; later ones from their first byte, in whatever segment it came."""
    async with wire(tmp_path) as one:
        for seconds, data in came:
            one.core.clock.advance(seconds)
            one.session.feed(data)
        await one.core.sync()
        rows = one.core.read("SELECT setup_us FROM signals ORDER BY id")
        assert [row["setup_us"] / 1e6 for row in rows] == expected
