"""Sockets: datagrams, which are answered at their source or must be repeated."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.rigs.core import until
from tests.rigs.door import ack, dialled_udp, door, frame, received
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.receiver.counters import Refusal
from vetlla.receiver.listeners.udp import TURN_BYTES
from vetlla.receiver.session import DATAGRAM_ANSWERS

if TYPE_CHECKING:
    from pathlib import Path


@each_loop
async def test_datagrams_are_answered_where_they_came_from(tmp_path: Path) -> None:
    """Each datagram is one frame. Its answer goes to its source, from its target port, which is also the TCP port."""
    async with door(tmp_path) as opened:
        assert opened.udp
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
            one.send(frame(4, "3333")[:-1])
            assert await running.sock_recv(one, 2048) == ack(4, "3333")
        rows = opened.core.read("SELECT transport, account FROM signals ORDER BY account")
        assert [tuple(row.values()) for row in rows] == [("udp", "1111"), ("udp", "2222"), ("udp", "3333")]


@each_loop
async def test_datagrams_beyond_the_bound_are_left_to_be_repeated(tmp_path: Path) -> None:
    """If too many frames wait, a datagram is not taken, which is counted."""
    async with door(tmp_path, limits={"intake_waiting": 1}) as opened:
        opened.core.journal.gate.clear()
        with dialled_udp(opened) as udp:
            udp.send(frame(1))
            await opened.core.held()
            for number in (2, 3, 4):
                udp.send(frame(number))
            await until(lambda: opened.refused(Refusal.NOT_READY) == 1)
            assert opened.core.intake.waiting == 2


@each_loop
async def test_datagrams_take_turns_with_connections(tmp_path: Path) -> None:
    """A flood of datagrams leaves time for connections: each turn of the loop reads a part, and in the end all."""
    many = 200
    async with door(tmp_path, accounts=[Account(account="1234")]) as opened:
        who = AccountId("", "0", "1234")
        heartbeat = dc09_frame.build("NULL", "0000", who, b"", timestamp=None, key=None)
        read = [0]
        with dialled_udp(opened) as flood:
            for _ in range(many):
                flood.send(heartbeat)
            while read[-1] < many:
                await asyncio.sleep(0)  # one turn of the loop
                read.append(sum(opened.core.counters.heartbeats.values()))
        most = TURN_BYTES // len(heartbeat) + 1
        assert max(after - before for before, after in pairwise(read)) == most
        assert most < many


@each_loop
async def test_an_answer_to_a_closed_socket_harms_no_other_peer(tmp_path: Path) -> None:
    """If a datagram's listener was closed before the commit, other peers still get their answers."""
    async with door(tmp_path) as opened:
        opened.core.journal.gate.clear()
        with dialled_udp(opened) as udp:
            udp.send(frame(1))
            await opened.core.held()
            terminal = await opened.dial()
            terminal.send(frame(2))
            await until(lambda: opened.core.intake.waiting == 1)
            assert opened.udp
            opened.udp.abort()
            opened.core.journal.gate.set()
            await terminal.hear(ack(2))


@each_loop
async def test_a_packed_datagram_of_an_unknown_caller_is_answered_once(tmp_path: Path) -> None:
    """Its source may be forged; 68 answers would go to a victim. The reports are stored; the caller repeats them."""
    async with door(tmp_path) as opened:
        with dialled_udp(opened) as udp:
            udp.send(b"".join(frame(number) for number in range(1, 69)))
            await until(lambda: len(opened.core.read("SELECT id FROM signals")) == 68)
            await opened.core.sync()
            assert [received(udp), received(udp)] == [ack(1), b""]
            udp.send(frame(7))  # a repetition in a datagram of its own
            assert await asyncio.get_running_loop().sock_recv(udp, 2048) == ack(7)


@each_loop
async def test_a_packed_datagram_that_no_key_opens_is_answered_once(tmp_path: Path) -> None:
    """A refusal is an answer, too."""
    async with door(tmp_path) as opened:
        with dialled_udp(opened) as udp:
            sealed = dc09_frame.envelope(b'"*ADM-CID"0001L0#1234[' + b"00" * 48)
            udp.send(sealed * 20 + frame(2))
            assert await asyncio.get_running_loop().sock_recv(udp, 2048) == dc09_frame.envelope(b'"DUH"0001L0#1234[]')
            await until(lambda: len(opened.core.read("SELECT id FROM signals")) == 1)
            await opened.core.sync()
            assert received(udp) == b""


@each_loop
async def test_a_packed_datagram_of_a_registered_terminal_is_answered_frame_by_frame(tmp_path: Path) -> None:
    """Its reports get as many answers as fit into one packet, also after frames of unknown callers."""
    async with door(tmp_path, accounts=[Account(account="5678")]) as opened:
        with dialled_udp(opened) as udp:
            running = asyncio.get_running_loop()
            udp.send(frame(1) + frame(2) + b"".join(frame(number, "5678") for number in range(1, 6)) + frame(3))
            heard = [await running.sock_recv(udp, 2048) for _ in range(6)]
            assert heard == [ack(1), *(ack(number, "5678") for number in range(1, 6))]
            udp.send(b"".join(frame(number, "5678") for number in range(11, 61)))
            heard = [await running.sock_recv(udp, 2048) for _ in range(DATAGRAM_ANSWERS)]
            assert heard == [ack(number, "5678") for number in range(11, 11 + DATAGRAM_ANSWERS)]
            await until(lambda: len(opened.core.read("SELECT id FROM signals")) == 58)
            await opened.core.sync()
            assert received(udp) == b""
