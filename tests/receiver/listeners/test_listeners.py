"""Sockets: the answers to a terminal, a stop, and the addresses, on each event loop that the receiver may use."""

from __future__ import annotations

import gc
import socket
import struct
import weakref
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import until
from tests.rigs.door import ack, dialled_udp, door, frame, received, torn_off
from tests.rigs.loops import each_loop
from vetlla.domain.errors import ConfigError
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.bind import BACKLOG, bind
from vetlla.settings.listen import Listen
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from pathlib import Path


# --- one terminal -----------------------------------------------------------------------------------------------------


@each_loop
async def test_answers_come_in_the_order_of_the_frames(tmp_path: Path) -> None:
    """With many frames per connection, several per segment or one in many segments, each is answered in order."""
    async with door(tmp_path) as opened:
        terminal = await opened.dial()
        terminal.send(b"".join(frame(number) for number in (1, 2, 3)) + frame(4)[:9])
        await terminal.hear(ack(1) + ack(2) + ack(3))
        for at in range(9, len(frame(4))):
            terminal.send(frame(4)[at : at + 1])
        await terminal.hear(ack(4))


@each_loop
async def test_a_whole_frame_is_answered_at_once(tmp_path: Path) -> None:
    """A frame is answered while its connection is open, whatever byte ends it, and also if its header is unusual."""
    async with door(tmp_path) as opened:
        terminal = await opened.dial()
        for number, end in enumerate((b"", b"\n", b"\0", b" \r\n", b"\r"), 1):
            terminal.send(frame(number)[:-1] + end)
            await terminal.hear(ack(number))
        terminal.send(dc09_frame.envelope(b'"SIA-DCS"0006L[#7788|NPA2]')[:-1])
        await terminal.hear(dc09_frame.envelope(b'"ACK"0006L0[]'))
        rows = opened.core.read("SELECT account, kind FROM signals ORDER BY id")
        assert tuple(rows[-1].values()) == ("7788", "personal_emergency")
        assert not any(opened.core.counters.rejects.values())


@each_loop
@pytest.mark.parametrize("line", [b"861234567890123,8934076500002589012F,23,v1.4\r\n", b"PING\r\n"])
async def test_a_modem_that_speaks_first_is_no_stranger(tmp_path: Path, line: bytes) -> None:
    """Its registration and its keep-alives look like another protocol; the press that it passes on is acknowledged."""
    async with door(tmp_path) as opened:
        for talk in (line, line * 20):
            terminal = await opened.dial()
            terminal.send(talk)
            await terminal.writer.drain()
            terminal.send(frame(1))
            await terminal.hear(ack(1))
            terminal.send(line + frame(2))
            await terminal.hear(ack(2))


@each_loop
async def test_one_connection_serves_as_long_as_the_terminal_likes(tmp_path: Path) -> None:
    """A heartbeat, a pause and a press (DL-1); two presses in one segment (DL-3); one number twice, 0000 (D1-7)."""

    def said(body: bytes) -> bytes:
        return dc09_frame.envelope(body)

    async with door(tmp_path) as opened:
        terminal = await opened.dial()
        terminal.send(said(b'"NULL"0000L0#1234[]'))
        await terminal.hear(said(b'"ACK"0000L0#1234[]'))
        opened.core.clock.advance(6)
        terminal.send(said(b'"SIA-DCS"0001L0#1234[#1234|NPA1]'))
        await terminal.hear(said(b'"ACK"0001L0#1234[]'))
        terminal.send(said(b'"SIA-DCS"0002L0#1234[#1234|NPA2]') + said(b'"SIA-DCS"0003L0#1234[#1234|NPA3]'))
        await terminal.hear(said(b'"ACK"0002L0#1234[]') + said(b'"ACK"0003L0#1234[]'))
        for _ in range(2):
            terminal.send(said(b'"SIA-DCS"0000L0#1234[#1234|NPA4]'))
            await terminal.hear(said(b'"ACK"0000L0#1234[]'))
        rows = opened.core.read("SELECT device FROM signals WHERE kind = 'personal_emergency' ORDER BY id")
        assert [row["device"] for row in rows] == ["1", "2", "3", "4", "4"]


@each_loop
async def test_a_reply_that_promises_nothing_waits_its_turn(tmp_path: Path) -> None:
    """An immediate reply, to a frame that no key opens, does not overtake the acknowledgement before it."""
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


@each_loop
async def test_a_terminal_that_shuts_its_side_gets_its_answer(tmp_path: Path) -> None:
    """A half-closed connection is answered, then closed."""
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


@each_loop
async def test_a_frame_that_was_torn_off_is_kept_as_evidence(tmp_path: Path) -> None:
    """The remaining bytes of a connection that broke are a reject."""
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


@each_loop
async def test_t2_begins_with_the_connection_then_with_each_frame_s_first_byte(tmp_path: Path) -> None:
    """The first frame counts from the set-up; a later one counts from its first byte, without the silence before."""
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
        terminal.send(b"\0\r\n")  # bytes that some panels send after a frame begin no frame
        await until(lambda: True)
        clock.advance(500)
        terminal.send(frame(4))
        await terminal.hear(ack(4))
        setup = [row["setup_us"] / 1e6 for row in opened.core.read("SELECT setup_us FROM signals ORDER BY id")]
        assert setup == [3, 0, 2, 0]


@each_loop
async def test_a_terminal_that_hangs_up_before_its_answer_harms_no_other_peer(tmp_path: Path) -> None:
    """An answer to a connection that broke meanwhile is dropped, and other peers get theirs."""
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


@each_loop
async def test_a_connection_that_ended_leaves_no_objects(tmp_path: Path) -> None:
    """All objects of a connection are freed with it, even if its last answer came after its end."""
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


# --- when the receiver cannot, or ends --------------------------------------------------------------------------------


@each_loop
async def test_no_answer_is_sent_when_no_report_can_be_stored(tmp_path: Path) -> None:
    """Over TCP the receiver hangs up at once, so that the terminal dials its second receiver; over UDP it is silent."""
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


@each_loop
async def test_a_stop_answers_frames_that_were_read_and_stops_reading(tmp_path: Path) -> None:
    """After a stop no peer is accepted, nothing further is read, and frames that were read are committed and answered.

    An incomplete frame is kept as evidence.
    """
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


# --- sockets ----------------------------------------------------------------------------------------------------------


@each_loop
async def test_the_backlog_is_as_large_as_requested(tmp_path: Path) -> None:
    """The backlog in force is the one that was requested, as far as the machine allows."""
    tcp_info, max_backlog = 11, struct.Struct("=28xI")  # linux/tcp.h: tcpi_sacked of a listening socket is its backlog
    async with door(tmp_path) as opened:
        info = opened.bound["tcp"].getsockopt(socket.IPPROTO_TCP, tcp_info, 104)
        with open("/proc/sys/net/core/somaxconn", encoding="ascii") as file:  # noqa: ASYNC230, PTH123 - proc
            somaxconn = int(file.read())
        assert max_backlog.unpack_from(info) == (min(BACKLOG, somaxconn),)


def test_a_port_in_use_is_reported_with_its_remedy() -> None:
    """The error names a command that finds the program that uses the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = Listen(protocol="dc09", host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="ss -ltunp"):
            bind(listen)


def test_an_address_of_another_machine_is_reported() -> None:
    """The receiver cannot listen on an address that does not belong to this machine."""
    with pytest.raises(ConfigError, match="ip address"):
        bind(Listen(protocol="dc09", host="192.0.2.1", port=0))


def test_addresses_are_spelled_so_that_they_can_be_read() -> None:
    """An IPv6 address is put in brackets, so that its port can be distinguished from it."""
    assert spelled("192.0.2.7", 9000) == "192.0.2.7:9000"
    assert spelled("2001:db8::7", 9000) == "[2001:db8::7]:9000"
