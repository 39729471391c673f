"""Sockets: datagrams, answered where they came from or left to be repeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.receiver.core import run, until
from tests.receiver.door import ack, dialled_udp, door, each_loop, frame
from vetlla.receiver.counters import Refusal

if TYPE_CHECKING:
    from pathlib import Path


@each_loop
def test_datagrams_are_answered_where_they_came_from(tmp_path: Path, loop: str) -> None:
    """Each datagram is one frame and its answer goes to its source, from the port it was sent to: TCP's own."""

    async def scenario() -> None:
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
                assert opened.udp
                opened.udp.abort()
                opened.core.journal.gate.set()
                await terminal.hear(ack(2))

    run(scenario(), loop)
