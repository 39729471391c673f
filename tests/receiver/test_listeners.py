"""Sockets: what a terminal, a crowd and a stranger may do, over real connections on the loops that may carry them."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
import struct
import weakref
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from tests.receiver.core import LOOPS, Core, core, run, small, until
from vetlla.errors import ConfigError
from vetlla.protocols import dc09_frame
from vetlla.protocols.dc09 import Dc09Decoder
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners import accept, tcp
from vetlla.receiver.listeners.bind import BACKLOG, bind, tls_context
from vetlla.receiver.listeners.tcp import TcpListener
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.receiver.session import Ground
from vetlla.settings.model import Listen, Tls
from vetlla.settings.section import spelled
from vetlla.signals import AccountId, Key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

each_loop = pytest.mark.parametrize("loop", LOOPS)
UNLIMITED = 1 << 20
NARROW = 4096
"""Bytes of a kernel's buffer: small enough to be filled by a few answers."""


def frame(number: int = 1, account: str = "1234") -> bytes:
    who = AccountId("", "0", account)
    data = f"#{account}|1101 00 001".encode()
    return dc09_frame.build("ADM-CID", f"{number:04}", who, data, timestamp=None, key=None)


def ack(number: int = 1, account: str = "1234") -> bytes:
    return dc09_frame.envelope(f'"ACK"{number:04}L0#{account}[]'.encode(), binary_crc=False)


def keyless(_: AccountId) -> Sequence[Key]:
    return ()


class Door:
    """A listening receiver."""

    def __init__(self, rig: Core, listen: Listen) -> None:
        self.core = rig
        self.bound = bind(listen)
        ground = Ground(rig.intake, rig.budget, rig.counters, rig.clock)
        context = tls_context(listen.tls) if listen.tls else None
        self.tcp = TcpListener(listen, ground, lambda: Dc09Decoder(keyless), self.bound["tcp"], context)
        self.udp = UdpListener(listen, ground, lambda: Dc09Decoder(keyless), self.bound["udp"])
        self.terminals: list[Terminal] = []

    def refused(self, why: Refusal) -> int:
        """Return how many connections were refused or ended for a reason."""
        return self.core.counters.connections_refused[why]

    async def dial(self, **options: Any) -> Terminal:  # noqa: ANN401 - those of open_connection
        """Return a connected terminal; it is dropped at the end."""
        where = () if "sock" in options else ("127.0.0.1", self.tcp.port)
        terminal = Terminal(*await asyncio.open_connection(*where, **options))
        self.terminals.append(terminal)
        return terminal


class Terminal:
    """The other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        """Send bytes, now."""
        self.writer.write(data)

    async def hear(self, data: bytes) -> None:
        """Expect exactly these bytes next."""
        assert await self.reader.readexactly(len(data)) == data

    async def ended(self) -> bytes:
        """Return what comes until the receiver closes the connection, politely or not."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def hang_up(self) -> None:
        """Drop the connection as a terminal does that lost its power: what is under way is reset."""
        if not self.writer.transport.is_closing():
            wire: socket.socket = self.writer.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def torn_off(opened: Door) -> list[bytes]:
    """Return what is kept of frames that did not come whole."""
    return [bytes(row["raw"]) for row in opened.core.read("SELECT raw FROM rejects WHERE reason = 'truncated'")]


@asynccontextmanager
async def door(directory: Path, *, tls: Tls | None = None, **sections: dict[str, Any]) -> AsyncIterator[Door]:
    listen = Listen(protocol="dc09", host="127.0.0.1", port=0, tls=tls)
    async with core(directory, settings=small(directory, **sections)) as rig:
        opened = Door(rig, listen)
        await opened.tcp.start()
        await opened.udp.start()
        try:
            yield opened
        finally:
            rig.journal.gate.set()
            for terminal in opened.terminals:
                terminal.hang_up()
            opened.tcp.stop()
            opened.udp.stop()
            opened.tcp.abort()
            opened.udp.abort()
            await until(lambda: rig.counters.connections_open == 0)


# --- one terminal -----------------------------------------------------------------------------------------------------


@each_loop
def test_answers_come_in_the_order_of_the_frames(tmp_path: Path, loop: str) -> None:
    """Many frames per connection, several per segment, one per many segments: each is answered, in order."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            terminal = await opened.dial()
            terminal.send(b"".join(frame(number) for number in (1, 2, 3)) + frame(4)[:9])
            await terminal.hear(ack(1) + ack(2) + ack(3))
            for at in range(9, len(frame(4))):
                terminal.send(frame(4)[at : at + 1])
            await terminal.hear(ack(4))

    run(scenario(), loop)


@each_loop
def test_a_reply_that_promises_nothing_waits_its_turn(tmp_path: Path, loop: str) -> None:
    """What is said at once, to a frame that no key opens, does not overtake the acknowledgement before it."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            terminal = await opened.dial()
            key = Key(name="other", secret=bytes(16))
            sealed = dc09_frame.build(
                "ADM-CID",
                "0002",
                AccountId("", "0", "1234"),
                b"#1234|1101",
                timestamp=datetime.now(UTC),
                key=key.secret,
            )
            terminal.send(frame(1) + sealed)
            await opened.core.held()
            opened.core.journal.gate.set()
            await terminal.hear(ack(1) + dc09_frame.envelope(b'"DUH"0002L0#1234[]', binary_crc=False))

    run(scenario(), loop)


@each_loop
def test_a_terminal_that_shuts_its_side_gets_its_answer(tmp_path: Path, loop: str) -> None:
    """A half-closed connection is answered, then closed."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            terminal = await opened.dial()
            terminal.send(frame(1))
            terminal.writer.write_eof()
            await opened.core.held()
            opened.core.journal.gate.set()
            assert await terminal.ended() == ack(1)
            quiet = await opened.dial()
            quiet.writer.write_eof()
            assert await quiet.ended() == b""

    run(scenario(), loop)


@each_loop
def test_a_frame_that_was_torn_off_is_kept_as_evidence(tmp_path: Path, loop: str) -> None:
    """The remainder of a connection that broke is a reject."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            terminal = await opened.dial()
            terminal.send(frame(1)[:20])
            await until(lambda: bool(opened.tcp.connections))
            terminal.writer.close()
            await until(lambda: sum(opened.core.counters.rejects.values()) == 1)
            await opened.core.sync()
            (row,) = opened.core.read("SELECT reason, raw, peer FROM rejects")
            assert (row["reason"], bytes(row["raw"])) == ("truncated", frame(1)[:20])
            assert row["peer"].startswith("127.0.0.1:")

    run(scenario(), loop)


@each_loop
def test_t2_begins_with_the_connection_then_with_each_frame_s_first_byte(tmp_path: Path, loop: str) -> None:
    """Set-up counts for the first frame; a later one counts from its first byte, not from the silence before it."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            clock = opened.core.clock
            terminal = await opened.dial()
            await until(lambda: bool(opened.tcp.connections))
            clock.advance(3)
            terminal.send(frame(1))
            await terminal.hear(ack(1))
            clock.advance(100)
            terminal.send(frame(2) + b"\0" + frame(3)[:20])
            await terminal.hear(ack(2))
            clock.advance(2)
            terminal.send(frame(3)[20:])
            await terminal.hear(ack(3))
            terminal.send(b"\0\r\n")  # what some panels send behind a frame begins no frame
            await until(lambda: True)
            clock.advance(500)
            terminal.send(frame(4))
            await terminal.hear(ack(4))
            setup = [row["setup_us"] / 1e6 for row in opened.core.read("SELECT setup_us FROM signals ORDER BY id")]
            assert setup == [3, 0, 2, 0]

    run(scenario(), loop)


@each_loop
def test_a_terminal_that_hangs_up_before_its_answer_harms_nobody(tmp_path: Path, loop: str) -> None:
    """An answer to a connection that broke meanwhile goes nowhere, and the others get theirs."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            hasty, patient = await opened.dial(), await opened.dial()
            hasty.send(frame(1, "1111"))
            await opened.core.held()
            hasty.send(frame(2, "1111"))
            await until(lambda: opened.core.intake.waiting == 1)
            patient.send(frame(1, "2222"))
            hasty.hang_up()
            await until(lambda: len(opened.tcp.connections) == 1)
            with capture_logs() as log:
                opened.core.journal.gate.set()
                await patient.hear(ack(1, "2222"))
            assert log == []
            assert len(await opened.core.open_alarms()) == 2

    run(scenario(), loop)


@each_loop
def test_a_connection_that_ended_leaves_nothing_to_collect(tmp_path: Path, loop: str) -> None:
    """Whatever was made for a connection goes with it, though its last answer came later than its end."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            terminal = await opened.dial()
            terminal.send(frame())
            await opened.core.held()
            (gone,) = map(weakref.ref, opened.tcp.connections)
            gc.disable()
            try:
                terminal.hang_up()
                await until(lambda: not opened.tcp.connections)
                opened.core.journal.gate.set()
                await until(lambda: gone() is None)
            finally:
                gc.enable()

    run(scenario(), loop)


# --- what a peer may take ---------------------------------------------------------------------------------------------


@each_loop
def test_reading_pauses_while_too_many_frames_wait(tmp_path: Path, loop: str) -> None:
    """A peer with more unanswered frames than allowed is not read further, and read on when they are answered."""

    async def scenario() -> None:
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

    run(scenario(), loop)


@each_loop
def test_the_crowd_pauses_when_too_much_waits(tmp_path: Path, loop: str) -> None:
    """With more frames waiting than the receiver may hold, whoever is owed an answer is read no further."""

    async def scenario() -> None:
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

    run(scenario(), loop)


async def clogged(opened: Door) -> tuple[Terminal, int]:
    """Return a terminal that let its answers pile up until the receiver stopped reading, and how many it is owed."""
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
def test_a_peer_that_reads_no_answers_is_read_no_further(tmp_path: Path, loop: str) -> None:
    """Answers that nobody fetches are bounded: the receiver stops reading, and reads on when they have left."""

    async def scenario() -> None:
        async with door(tmp_path, limits={"pending_per_connection": 100_000}) as opened:
            terminal, owed = await clogged(opened)
            (connection,) = opened.tcp.connections
            assert connection._transport.get_write_buffer_size() < UNLIMITED
            for _ in range(owed):
                await terminal.hear(ack(1))
            await until(connection._transport.is_reading)

    run(scenario(), loop)


@each_loop
def test_whoever_says_nothing_whole_is_hung_up_on(tmp_path: Path, loop: str) -> None:
    """A connection has a time for its first whole frame; bytes that are none do not lengthen it, and are evidence."""

    async def scenario() -> None:
        async with door(tmp_path, limits={"first_frame_timeout_s": 0.05}) as opened:
            silent, mumbling = await opened.dial(), await opened.dial()
            mumbling.send(frame(1)[:12])
            assert (await silent.ended(), await mumbling.ended()) == (b"", b"")
            assert opened.refused(Refusal.IDLE) == 2
            await opened.core.sync()
            assert torn_off(opened) == [frame(1)[:12]]

    run(scenario(), loop)


@each_loop
def test_an_idle_connection_ends(tmp_path: Path, loop: str) -> None:
    """After its first frame a connection may be silent for the idle time, counted from its last byte."""

    async def scenario() -> None:
        limits = {"first_frame_timeout_s": 0.05, "idle_timeout_s": 0.1}
        async with door(tmp_path, limits=limits) as opened:
            terminal = await opened.dial()
            began = asyncio.get_running_loop().time()
            terminal.send(frame(1))
            await terminal.hear(ack(1))
            assert await terminal.ended() == b""
            assert asyncio.get_running_loop().time() - began >= 0.1
            assert opened.refused(Refusal.IDLE) == 1

    run(scenario(), loop)


@each_loop
def test_a_connection_that_cannot_be_ended_politely_is_dropped(
    tmp_path: Path, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that fetches nothing does not hold a closing connection for ever."""
    monkeypatch.setattr(tcp, "LINGER_S", 0.05)

    async def scenario() -> None:
        async with door(tmp_path, limits={"pending_per_connection": 100_000}) as opened:
            await clogged(opened)
            (connection,) = opened.tcp.connections
            connection.hang_up(Refusal.IDLE)
            await until(lambda: not opened.tcp.connections)

    run(scenario(), loop)


class Exhausted(socket.socket):
    """A listening socket whose next connections the machine cannot accept."""

    troubles: list[OSError]

    def accept(self) -> tuple[socket.socket, Any]:
        """Fail as long as there are troubles left."""
        if self.troubles:
            raise self.troubles.pop()
        return super().accept()


@each_loop
def test_a_machine_without_descriptors_accepts_again_later(
    tmp_path: Path, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever could not be accepted waits in the kernel until there is room, and the log says why it took so long."""
    monkeypatch.setattr(accept, "ACCEPT_AGAIN_S", 0.02)

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            listen = Listen(protocol="dc09", host="127.0.0.1", port=0, transports=("tcp",))
            listening = Exhausted(fileno=bind(listen)["tcp"].detach())
            listening.settimeout(0)
            listening.troubles = [OSError(errno.EMFILE, "Too many open files"), ConnectionAbortedError()]
            ground = Ground(rig.intake, rig.budget, rig.counters, rig.clock)
            listener = TcpListener(listen, ground, lambda: Dc09Decoder(keyless), listening, None)
            await listener.start()
            with capture_logs() as log:
                terminal = Terminal(*await asyncio.open_connection("127.0.0.1", listener.port))
                terminal.send(frame(1))
                await terminal.hear(ack(1))
            assert [(line["event"], line["why"]) for line in log] == [("accept.failed", "Too many open files")]
            terminal.hang_up()
            listener.stop()
            await until(lambda: rig.counters.connections_open == 0)

    run(scenario(), loop)


@each_loop
def test_connections_are_budgeted(tmp_path: Path, loop: str) -> None:
    """One address, and all together, may hold so many connections; one that ends makes room."""

    async def scenario() -> None:
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

    run(scenario(), loop)


@each_loop
def test_bogus_frames_are_budgeted(tmp_path: Path, loop: str) -> None:
    """After so many rejects a connection is closed, and what was good before them is answered first."""

    async def scenario() -> None:
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

    run(scenario(), loop)


@each_loop
@pytest.mark.parametrize(
    ("said", "named"), [(b"GET / HTTP/1.1\r\n\r\n", "HTTP"), (b"SSH-2.0-x\r\n", "SSH"), (b"\x16\x03\x01\x00", "TLS")]
)
def test_strangers_are_recognised_and_hung_up_on(tmp_path: Path, loop: str, said: bytes, named: str) -> None:
    """Another protocol is named in the evidence, answered with nothing, and its connection closed."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            terminal = await opened.dial()
            terminal.send(said)
            assert await terminal.ended() == b""
            assert opened.refused(Refusal.FOREIGN) == 1
            await opened.core.sync()
            (row,) = opened.core.read("SELECT reason, text FROM rejects")
            assert row["reason"] == "foreign"
            assert named in row["text"]

    run(scenario(), loop)


# --- when the receiver cannot, or ends --------------------------------------------------------------------------------


@each_loop
def test_nothing_is_said_when_nothing_can_be_kept(tmp_path: Path, loop: str) -> None:
    """Over TCP the terminal is hung up on at once, so that it dials its second receiver; over UDP there is silence."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.failing = True
            terminal = await opened.dial()
            terminal.send(frame(1) + frame(2))
            assert await terminal.ended() == b""
            with dialled_udp(opened) as udp:
                udp.send(frame(3))
                await until(lambda: opened.refused(Refusal.NOT_READY) == 2)
                assert not received(udp)
            await opened.core.healed()
            terminal = await opened.dial()
            terminal.send(frame(1))
            await terminal.hear(ack(1))

    run(scenario(), loop)


@each_loop
def test_a_stop_answers_what_was_read_and_reads_no_more(tmp_path: Path, loop: str) -> None:
    """After a stop nobody is accepted, nothing more is read, and what was read is committed and answered.

    What had come of one more frame is evidence.
    """

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            terminal, idle = await opened.dial(), await opened.dial()
            terminal.send(frame(1) + frame(2)[:12])
            await opened.core.held()
            opened.tcp.stop()
            assert await idle.ended() == b""
            with pytest.raises(ConnectionError):
                await opened.dial()
            opened.core.journal.gate.set()
            assert await terminal.ended() == ack(1)
            await opened.core.sync()
            assert torn_off(opened) == [frame(2)[:12]]

    run(scenario(), loop)


# --- UDP --------------------------------------------------------------------------------------------------------------


def dialled_udp(opened: Door) -> socket.socket:
    """Return a datagram socket that only hears the receiver's own address."""
    dialled = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dialled.settimeout(0)
    dialled.connect(("127.0.0.1", opened.udp.port))
    return dialled


def received(dialled: socket.socket) -> bytes:
    """Return the next datagram, or nothing."""
    try:
        return dialled.recv(2048)
    except BlockingIOError:
        return b""


@each_loop
def test_datagrams_are_answered_where_they_came_from(tmp_path: Path, loop: str) -> None:
    """Each datagram is one frame and its answer goes to its source, from the port it was sent to: TCP's own."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            assert opened.tcp.port == opened.udp.port
            running = asyncio.get_running_loop()
            with dialled_udp(opened) as one, dialled_udp(opened) as other:
                one.send(frame(1, "1111"))
                other.send(frame(2, "2222"))
                assert await running.sock_recv(one, 2048) == ack(1, "1111")
                assert await running.sock_recv(other, 2048) == ack(2, "2222")
                one.send(frame(1, "1111"))
                assert await running.sock_recv(one, 2048) == ack(1, "1111")
                one.send(frame(3)[:-5])
                await until(lambda: sum(opened.core.counters.rejects.values()) == 1)
            rows = opened.core.read("SELECT transport, account FROM signals ORDER BY account")
            assert [tuple(row.values()) for row in rows] == [("udp", "1111"), ("udp", "2222")]

    run(scenario(), loop)


@each_loop
def test_datagrams_beyond_the_bound_are_left_to_be_repeated(tmp_path: Path, loop: str) -> None:
    """With too much waiting a datagram is not taken, and that is counted."""

    async def scenario() -> None:
        async with door(tmp_path, limits={"intake_waiting": 1}) as opened:
            opened.core.journal.gate.clear()
            with dialled_udp(opened) as udp:
                udp.send(frame(1))
                await opened.core.held()
                for number in (2, 3, 4):
                    udp.send(frame(number))
                await until(lambda: opened.refused(Refusal.NOT_READY) == 1)
                assert opened.core.intake.waiting == 2

    run(scenario(), loop)


@each_loop
def test_an_answer_to_a_socket_that_is_gone_harms_nobody(tmp_path: Path, loop: str) -> None:
    """A datagram whose listener was closed before the commit takes nobody else's answer with it."""

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            opened.core.journal.gate.clear()
            with dialled_udp(opened) as udp:
                udp.send(frame(1))
                await opened.core.held()
                terminal = await opened.dial()
                terminal.send(frame(2))
                await until(lambda: opened.core.intake.waiting == 1)
                opened.udp.abort()
                opened.core.journal.gate.set()
                await terminal.hear(ack(2))

    run(scenario(), loop)


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Make a certificate for this run alone."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(certificate=folder / "cert.pem", key=folder / "key.pem")


def trusting(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.check_hostname = False
    return context


@each_loop
def test_tls_carries_the_same_frames(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Over TLS a terminal is served as over TCP, and its signals say so."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            terminal = await opened.dial(ssl=trusting(tls_files))
            terminal.send(frame(1) + frame(2)[:10])
            await terminal.hear(ack(1))
            terminal.send(frame(2)[10:])
            await terminal.hear(ack(2))
            terminal.writer.close()
            await until(lambda: not opened.tcp.connections)
            assert opened.core.read("SELECT DISTINCT transport FROM signals") == [{"transport": "tls"}]

    run(scenario(), loop)


@each_loop
def test_a_handshake_that_fails_is_counted(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Whoever speaks no TLS to a TLS listener is dropped, and so is a client without the certificate asked for."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files.model_copy(update={"client_ca": tls_files.certificate})) as opened:
            plain = await opened.dial()
            plain.send(frame(1))
            await plain.ended()
            await until(lambda: opened.refused(Refusal.TLS) == 1)
            nameless = await opened.dial(ssl=trusting(tls_files))  # TLS 1.3: the client believes in it until it reads
            await nameless.ended()
            await until(lambda: opened.refused(Refusal.TLS) == 2)
            assert opened.core.counters.connections_open == 0
            named = trusting(tls_files)
            named.load_cert_chain(tls_files.certificate, tls_files.key)
            terminal = await opened.dial(ssl=named)
            terminal.send(frame(1))
            await terminal.hear(ack(1))

    run(scenario(), loop)


@each_loop
def test_a_handshake_counts_as_a_connection(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """Peers that never finish their handshake are within the budgets, and dropped when their time is over."""

    async def scenario() -> None:
        limits = {"connections_per_peer": 1}
        async with door(tmp_path, tls=tls_files, limits=limits) as opened:
            silent = await opened.dial()
            await until(lambda: opened.core.counters.connections_open == 1)
            assert await (await opened.dial()).ended() == b""
            assert opened.refused(Refusal.PEER) == 1
            silent.hang_up()
            await until(lambda: opened.core.counters.connections_open == 0)
            terminal = await opened.dial(ssl=trusting(tls_files))
            terminal.send(frame(1))
            await terminal.hear(ack(1))

    run(scenario(), loop)


@each_loop
def test_a_handshake_has_its_time(tmp_path: Path, loop: str, tls_files: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that begins no handshake is dropped."""
    monkeypatch.setattr(accept, "HANDSHAKE_S", 0.05)

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            assert await (await opened.dial()).ended() == b""
            await until(lambda: opened.refused(Refusal.TLS) == 1)
            assert opened.core.counters.connections_open == 0

    run(scenario(), loop)


@each_loop
def test_a_stop_ends_handshakes(tmp_path: Path, loop: str, tls_files: Tls) -> None:
    """A stop does not wait for peers that never said hello."""

    async def scenario() -> None:
        async with door(tmp_path, tls=tls_files) as opened:
            silent = await opened.dial()
            await until(lambda: opened.core.counters.connections_open == 1)
            opened.tcp.stop()
            assert await silent.ended() == b""

    run(scenario(), loop)


# --- sockets ----------------------------------------------------------------------------------------------------------


@each_loop
def test_the_kernel_holds_a_district_that_comes_back(tmp_path: Path, loop: str) -> None:
    """The backlog that was asked for is the one in force: as large as the machine allows."""
    tcp_info, max_backlog = 11, struct.Struct("=28xI")  # linux/tcp.h: of a listening socket tcpi_sacked is its backlog

    async def scenario() -> None:
        async with door(tmp_path) as opened:
            info = opened.bound["tcp"].getsockopt(socket.IPPROTO_TCP, tcp_info, 104)
            with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:  # noqa: ASYNC230, PTH123 - proc
                somaxconn = int(file.read())
            assert max_backlog.unpack_from(info) == (min(BACKLOG, somaxconn),)

    run(scenario(), loop)


def test_a_port_in_use_is_said_with_its_remedy() -> None:
    """Whoever has the port already is found by the command that the error names."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen(protocol="dc09", host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="ss -ltunp"):
            bind(listen)


def test_an_address_of_another_machine_is_said() -> None:
    """An address that is not this machine's cannot be listened on."""
    with pytest.raises(ConfigError, match="ip address"):
        bind(Listen(protocol="dc09", host="192.0.2.1", port=0))


def test_a_certificate_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """The error names the files."""
    files = Tls(certificate=tmp_path / "none.pem", key=tmp_path / "none.key")
    with pytest.raises(ConfigError, match=r"none\.pem"):
        tls_context(files)


def test_addresses_are_spelled_so_that_they_can_be_read() -> None:
    """An IPv6 address stands in brackets, or its port could not be told from it."""
    assert spelled("192.0.2.7", 9000) == "192.0.2.7:9000"
    assert spelled("2001:db8::7", 9000) == "[2001:db8::7]:9000"
