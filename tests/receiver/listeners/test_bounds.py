"""Sockets: the limits of crowds and strangers, and how their connections end."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, cast

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import core, until
from tests.rigs.door import Door, Terminal, ack, door, frame, keyless, torn_off
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.connection import TURN_BYTES, UNPROVEN_LEFT, UNPROVEN_TURN_BYTES, TcpConnection
from vetlla.receiver.listeners.tcp import TcpBounds, TcpListener
from vetlla.receiver.session import SessionServices, StreamSession
from vetlla.settings.listen import Listen

if TYPE_CHECKING:
    from pathlib import Path

UNLIMITED = 1 << 20
HOME = Account(account="1234", home="H1")
JUNK = b'\nFFFF0010"0123456789\r'
NARROW = 4096
"""Bytes of a kernel's buffer: small enough to be filled by a few answers."""


@each_loop
async def test_reading_pauses_while_too_many_frames_wait(tmp_path: Path) -> None:
    """The receiver stops reading a peer with too many unanswered frames, and goes on when they are answered."""
    async with door(tmp_path, limits={"pending_per_connection": 5}) as opened:
        opened.core.journal.gate.clear()
        terminal = await opened.dial()
        terminal.send(frame(1))
        await opened.core.held()
        terminal.send(b"".join(frame(number) for number in range(2, 8)))
        (connection,) = opened.tcp.connections
        await until(lambda: not connection._transport.is_reading())
        terminal.send(frame(8))
        opened.core.journal.gate.set()
        await terminal.hear(b"".join(ack(number) for number in range(1, 9)))


@each_loop
async def test_the_crowd_pauses_when_too_much_waits(tmp_path: Path) -> None:
    """If more frames wait than the receiver may hold, it stops reading all peers that wait for an answer."""
    async with door(tmp_path, limits={"intake_waiting": 2}) as opened:
        opened.core.journal.gate.clear()
        first, second = await opened.dial(), await opened.dial()
        first.send(frame(1, "1111"))
        await opened.core.held()
        first.send(b"".join(frame(number, "1111") for number in (2, 3, 4)))
        await until(lambda: opened.core.intake.waiting == 3)
        second.send(frame(1, "2222"))
        await until(lambda: opened.core.intake.waiting == 4)
        assert [one._transport.is_reading() for one in opened.tcp.connections] == [False, False]
        opened.core.journal.gate.set()
        await first.hear(b"".join(ack(number, "1111") for number in range(1, 5)))
        await second.hear(ack(1, "2222"))
        await until(lambda: all(one._transport.is_reading() for one in opened.tcp.connections))


async def clogged(opened: Door) -> tuple[Terminal, int]:
    """Return a terminal that reads no answers, so that the receiver stopped reading, and the number of its answers."""
    opened.bound["tcp"].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NARROW)
    wire = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    wire.settimeout(0)
    await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", opened.tcp.port))
    terminal = await opened.dial(sock=wire, limit=1)
    await until(lambda: bool(opened.tcp.connections))
    (connection,) = opened.tcp.connections
    owed = 0
    while connection._transport.is_reading() or not connection._clogged:
        if connection._transport.is_reading():
            terminal.send(frame(1) * 200)
            owed += 200
        await asyncio.sleep(0)
    return terminal, owed


@each_loop
async def test_the_receiver_stops_reading_a_peer_that_reads_no_answers(tmp_path: Path) -> None:
    """Answers that a peer does not read are bounded: the receiver stops reading, and goes on when they have left."""
    async with door(tmp_path, accounts=[HOME], limits={"pending_per_connection": 100_000}) as opened:
        terminal, owed = await clogged(opened)
        (connection,) = opened.tcp.connections
        assert connection._transport.get_write_buffer_size() < UNLIMITED
        for _ in range(owed):
            await terminal.hear(ack(1))
        await until(connection._transport.is_reading)


@each_loop
async def test_a_peer_without_a_whole_frame_is_disconnected(tmp_path: Path) -> None:
    """A connection has a time for its first whole frame; other bytes do not lengthen it, and are kept as evidence."""
    async with door(tmp_path, limits={"first_frame_timeout_s": 0.05}) as opened:
        silent, mumbling = await opened.dial(), await opened.dial()
        mumbling.send(frame(1)[:12])
        assert (await silent.ended(), await mumbling.ended()) == (b"", b"")
        assert opened.refused(Refusal.IDLE) == 2
        await opened.core.sync()
        assert torn_off(opened) == [frame(1)[:12]]


@each_loop
async def test_an_idle_connection_ends(tmp_path: Path) -> None:
    """After its first frame a connection may be silent for the idle time, counted from its last byte."""
    limits = {"first_frame_timeout_s": 0.05, "idle_timeout_s": 0.1}
    async with door(tmp_path, limits=limits) as opened:
        terminal = await opened.dial()
        began = asyncio.get_running_loop().time()
        terminal.send(frame(1))
        await terminal.hear(ack(1))
        assert await terminal.ended() == b""
        assert asyncio.get_running_loop().time() - began >= 0.1
        assert opened.refused(Refusal.IDLE) == 1


@each_loop
async def test_a_connection_that_cannot_be_closed_normally_is_dropped(tmp_path: Path) -> None:
    """A peer that reads nothing does not keep a closing connection open for ever."""
    limits, bounds = {"pending_per_connection": 100_000}, TcpBounds(linger_s=0.05)
    async with door(tmp_path, accounts=[HOME], limits=limits, bounds=bounds) as opened:
        await clogged(opened)
        (connection,) = opened.tcp.connections
        connection.hang_up(Refusal.IDLE)
        await until(lambda: not opened.tcp.connections)


class Exhausted(socket.socket):
    """A listening socket whose next connections the machine cannot accept."""

    troubles: list[OSError]

    def _accept(self) -> object:
        """Fail as long as there are troubles left."""
        if self.troubles:
            raise self.troubles.pop()
        return cast("object", super()._accept())  # type: ignore[misc]


@each_loop
async def test_a_machine_without_descriptors_accepts_again_later(tmp_path: Path) -> None:
    """A peer that could not be accepted waits in the kernel until there are descriptors; the log gives the reason."""
    async with core(tmp_path) as rig:
        listen = Listen(protocol="dc09", host="127.0.0.1", port=0, transports=("tcp",))
        listening = Exhausted(fileno=bind(listen)["tcp"].detach())
        listening.settimeout(0)
        listening.troubles = [OSError(errno.EMFILE, "Too many open files"), ConnectionAbortedError()]
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        bounds = TcpBounds(accept_again_s=0.02)
        listener = TcpListener(listen, services, lambda: Dc09Decoder(keyless), listening, None, bounds=bounds)
        await listener.start()
        with capture_logs() as log:
            terminal = Terminal(*await asyncio.open_connection("127.0.0.1", listener.port))
            terminal.send(frame(1))
            await terminal.hear(ack(1))
        assert [(line["event"], line["why"]) for line in log] == [("accept.failed", "Too many open files")]
        terminal.hang_up()
        listener.stop()
        await until(lambda: rig.counters.connections_open == 0)


@each_loop
async def test_connections_are_budgeted(tmp_path: Path) -> None:
    """Connections of one address, and of all together, are limited; one that ends makes room."""
    async with door(tmp_path, limits={"connections": 3, "connections_per_peer": 2}) as opened:
        held = [await opened.dial(), await opened.dial()]
        await until(lambda: opened.core.counters.connections_open == 2)
        assert await (await opened.dial()).ended() == b""
        assert opened.refused(Refusal.PEER) == 1
        await opened.dial(local_addr=("127.0.0.2", 0))
        await until(lambda: opened.core.counters.connections_open == 3)
        assert await (await opened.dial(local_addr=("127.0.0.3", 0))).ended() == b""
        assert opened.refused(Refusal.CONNECTIONS) == 1
        held.pop().hang_up()
        await until(lambda: opened.core.counters.connections_open == 2)
        third = await opened.dial()
        third.send(frame(1))
        await third.hear(ack(1))


@each_loop
async def test_bogus_frames_are_budgeted(tmp_path: Path) -> None:
    """After too many rejects a connection is closed, but good frames before them are answered first."""
    async with door(tmp_path, limits={"bogus_frames": 3, "pending_per_connection": 1}) as opened:
        opened.core.journal.gate.clear()
        terminal = await opened.dial()
        broken = frame(9).replace(b"1101", b"1102")
        terminal.send(frame(1) + frame(2) + broken * 3)
        await opened.core.held()
        opened.core.journal.gate.set()
        assert await terminal.ended() == ack(1) + ack(2)
        assert opened.refused(Refusal.BOGUS) == 1
        assert sum(opened.core.counters.rejects.values()) == 3


@each_loop
@pytest.mark.parametrize(
    ("said", "named"), [(b"GET / HTTP/1.1\r\n\r\n", "HTTP"), (b"SSH-2.0-x\r\n", "SSH"), (b"\x16\x03\x01\x00", "TLS")]
)
async def test_peers_of_another_protocol_are_recognised_and_disconnected(
    tmp_path: Path, said: bytes, named: str
) -> None:
    """The evidence names the other protocol; the peer gets no answer, and its connection is closed."""
    async with door(tmp_path) as opened:
        terminal = await opened.dial()
        terminal.send(said)
        assert await terminal.ended() == b""
        assert opened.refused(Refusal.FOREIGN) == 1
        await opened.core.sync()
        (row,) = opened.core.read("SELECT reason, text FROM rejects")
        assert row["reason"] == "foreign"
        assert named in row["text"]


MANY = 1_000
"""Frames of one burst: some 40 kB, of which one turn of the loop takes a tenth."""


@each_loop
@pytest.mark.parametrize("proven", [False, True])
async def test_a_burst_takes_turns_with_the_others(tmp_path: Path, *, proven: bool) -> None:
    """A home that reports during another terminal's flood is served in its turn; all of the flood is read, in order."""
    async with door(tmp_path, accounts=[HOME], limits={"pending_per_connection": UNLIMITED}) as opened:
        flood, home = await opened.dial(), await opened.dial()
        await until(lambda: len(opened.tcp.connections) == 2)
        if proven:
            flood.send(frame(9999))
            await flood.hear(ack(9999))
        opened.core.journal.gate.clear()
        flood.send(b"".join(frame(number) for number in range(1, MANY + 1)))
        await until(lambda: opened.core.intake.waiting > 0)
        assert 0 < opened.core.intake.waiting < MANY
        home.send(frame(1, "1111"))
        opened.core.journal.gate.set()
        await home.hear(ack(1, "1111"))
        await flood.hear(b"".join(ack(number) for number in range(1, MANY + 1)))


@each_loop
@pytest.mark.parametrize("reset", [False, True])
async def test_reports_of_a_peer_that_has_ended_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, reset: bool
) -> None:
    """A terminal may close after its last report, or lose its power; reports that came before are stored."""
    read: list[bytes] = []
    received = TcpConnection.data_received

    def data_received(self: TcpConnection, data: bytes) -> None:
        read.append(bytes(data))
        received(self, data)

    monkeypatch.setattr(TcpConnection, "data_received", data_received)
    async with door(tmp_path, accounts=[HOME], limits={"pending_per_connection": 10}) as opened:
        terminal = await opened.dial()
        terminal.send(b"".join(frame(number) for number in range(1, MANY + 1)))
        if reset:
            await until(lambda: opened.core.counters.committed_signals > 0)
            terminal.hang_up()
            await until(lambda: not opened.tcp.connections)
            whole = b"".join(read).count(b"\r")
            await until(lambda: opened.core.counters.committed_signals >= whole)
            stored = [row["sequence"] for row in opened.core.read("SELECT sequence FROM signals ORDER BY id")]
            assert stored == [f"{number:04}" for number in range(1, whole + 1)]
        else:
            terminal.writer.write_eof()
            await terminal.hear(b"".join(ack(number) for number in range(1, MANY + 1)))
            assert await terminal.ended() == b""


@each_loop
async def test_a_disconnected_peer_has_no_further_turn(tmp_path: Path) -> None:
    """Junk ends the connection within its first turn, and later bytes are not read."""
    async with door(tmp_path, limits={"bogus_frames": 2}) as opened:
        terminal = await opened.dial()
        terminal.send(b'\nFFFF0010"' * 20_000)
        await terminal.ended()
        rejects = sum(opened.core.counters.rejects.values())
        assert 2 <= rejects <= UNPROVEN_TURN_BYTES


@each_loop
async def test_strangers_have_shorter_turns_than_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many connections may send junk in one turn, so only a few bytes of each are read until it sends a report."""
    taken: list[int] = []
    feed = StreamSession.feed

    def counted(session: StreamSession, data: bytes) -> None:
        taken.append(len(data))
        feed(session, data)

    monkeypatch.setattr(StreamSession, "feed", counted)
    async with door(tmp_path, accounts=[HOME]) as opened:
        stranger, home = await opened.dial(), await opened.dial()
        for terminal, account in ((stranger, "9999"), (home, "1234")):
            terminal.send(frame(1, account))
            await terminal.hear(ack(1, account))
            taken.clear()
            terminal.send(b"".join(frame(number, account) for number in range(2, 42)))
            await terminal.hear(b"".join(ack(number, account) for number in range(2, 42)))
            if terminal is stranger:
                assert max(taken) == UNPROVEN_TURN_BYTES
            else:
                assert UNPROVEN_TURN_BYTES < max(taken) <= TURN_BYTES


@each_loop
async def test_bytes_that_strangers_leave_for_their_turns_are_bounded(tmp_path: Path) -> None:
    """When a crowd sends and hangs up, one frame's length of each is kept; if too many wait, the oldest are dropped."""
    async with door(tmp_path, limits={"bogus_frames": UNLIMITED}, bounds=TcpBounds(gone_max=5)) as opened:
        crowd = [await opened.dial() for _ in range(20)]
        for terminal in crowd:
            terminal.send(JUNK * 4_000)
        for terminal in crowd:
            terminal.hang_up()
        await until(lambda: not opened.tcp.connections)
        await until(lambda: not opened.tcp.turns._gone)
        await opened.core.sync()
        taken = sum(opened.core.counters.rejects.values()) * len(JUNK)
        assert 0 < taken <= 20 * (UNPROVEN_TURN_BYTES + UNPROVEN_LEFT)
        assert opened.refused(Refusal.UNPROVEN) > 0


@each_loop
async def test_only_the_first_bytes_of_a_stranger_are_read_first(tmp_path: Path) -> None:
    """Later bytes, and bytes that are left when the stranger hangs up, wait until the reports of homes are read."""
    async with door(tmp_path) as opened:
        stranger = await opened.dial()
        await until(lambda: bool(opened.tcp.connections))
        (connection,) = opened.tcp.connections
        assert connection.is_first
        stranger.send(frame(1)[:12])
        await until(lambda: connection._last > 0)
        assert not connection.is_first


@each_loop
async def test_a_stranger_that_sends_more_than_the_bound_is_disconnected(tmp_path: Path) -> None:
    """Reports that were read are answered; then the connection closes, so that the caller repeats the rest."""
    async with door(tmp_path) as opened:
        terminal = await opened.dial()
        terminal.send(b"".join(frame(number) for number in range(1, MANY + 1)))
        answered = (await terminal.ended()).count(b"ACK")
        assert 0 < answered < MANY
        assert opened.refused(Refusal.UNPROVEN) == 1
        await opened.core.sync()
        assert len(opened.core.read("SELECT id FROM signals")) == answered


@each_loop
@pytest.mark.parametrize("limit", ["connections", "connections_per_peer"])
async def test_silent_connections_make_room_for_a_home(tmp_path: Path, limit: str) -> None:
    """A few addresses that hold all connections do not shut out a home; a home that has reported stays connected."""
    async with door(tmp_path, accounts=[HOME], limits={limit: 3}) as opened:
        home = await opened.dial()
        home.send(frame(1, "1234"))
        await home.hear(ack(1, "1234"))
        silent = [await opened.dial() for _ in range(2)]
        await until(lambda: opened.core.counters.connections_open == 3)
        early = await opened.dial()
        assert await early.ended() == b""  # the silent connections still have time to report
        opened.core.clock.advance(3)
        late = await opened.dial()
        late.send(frame(2, "1234"))
        await late.hear(ack(2, "1234"))
        assert await silent[0].ended() == b""
        assert opened.refused(Refusal.UNPROVEN) == 1
        home.send(frame(3, "1234"))
        await home.hear(ack(3, "1234"))
