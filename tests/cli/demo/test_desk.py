"""The simulated operators of ``vetlla demo`` work at a real receiver."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING

from tests.rigs.daemon import PATIENCE_S, Daemon, running
from tests.rigs.terminal import Terminal
from vetlla.cli.demo.desk import Room

if TYPE_CHECKING:
    from pathlib import Path

HASTE = 0.01
"""Pace of operators who work at a hundred times their speed."""


async def worked(room: Room, daemon: Daemon, *, closed: int, operators: int = 3) -> None:
    """Let operators work until this number of alarms is closed."""
    stop = asyncio.Event()
    deadline = time.monotonic() + PATIENCE_S
    async with asyncio.TaskGroup() as group:
        for _ in range(operators):
            group.create_task(room.work(stop))
        while room.closed < closed:
            assert time.monotonic() < deadline, await asyncio.to_thread(daemon.queue)
            await asyncio.to_thread(daemon.status)
        stop.set()


async def test_operators_handle_every_alarm_once(tmp_path: Path) -> None:
    """One operator claims, answers and closes each alarm with a fitting outcome; then the queue is empty."""
    with running(tmp_path) as daemon:
        for number, code in enumerate(("1101", "1103", "1111", "1301", "1302", "1154")):
            with Terminal(daemon.port, f"4C0{number}") as home:
                home.alarm(code)
        room = Room(daemon.state_dir, Random(1), pace=HASTE)
        await worked(room, daemon, closed=6)
        assert daemon.queue() == []
        assert room.closed == 6
        assert sum(daemon.metric("vetlla_t3_seconds_count", priority=name) for name in ("life", "home_risk")) == 4


async def test_a_person_who_is_faster_is_no_error(tmp_path: Path) -> None:
    """If a person closes an alarm while an operator talks, the operator drops it and takes the next one."""
    with running(tmp_path) as daemon, Terminal(daemon.port, "4C01") as home, Terminal(daemon.port, "4C02") as other:
        home.alarm("1101")
        room = Room(daemon.state_dir, Random(1), pace=HASTE * 10)

        def close_under_their_hands() -> None:
            deadline = time.monotonic() + PATIENCE_S
            while not (answered := [alarm for alarm in daemon.queue() if alarm["state"] == "answered"]):
                assert time.monotonic() < deadline
            daemon.ask("queue.close", alarm=answered[0]["id"], outcome="other")
            other.alarm("1101")

        async with asyncio.TaskGroup() as group:
            group.create_task(worked(room, daemon, closed=1, operators=1))
            group.create_task(asyncio.to_thread(close_under_their_hands))
        assert daemon.queue() == []
        assert room.closed == 1


async def test_operators_go_home_when_the_receiver_is_gone(tmp_path: Path) -> None:
    """Without a receiver an operator has nothing to do and stops."""
    room = Room(tmp_path, Random(1), pace=HASTE)
    async with asyncio.timeout(PATIENCE_S):
        await room.work(asyncio.Event())
    assert room.closed == 0
