"""The intake: the stamps of reports, and the events that watchers receive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.rigs.callers import HOME, KEYED
from tests.rigs.core import Core, core, signal
from tests.rigs.messages import checked
from vetlla.domain.signals import Key, Kind

if TYPE_CHECKING:
    from pathlib import Path


async def test_t2_runs_from_established_to_ready(tmp_path: Path) -> None:
    """An alarm's t2 begins with its communication and ends when operators can see it, stamped soon afterwards."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        told = rig.submit(signal(), arrival=rig.arrival(seconds_ago=1.5))
        await rig.held()
        assert await rig.open_alarms() == []
        rig.clock.advance(2)
        rig.journal.gate.set()
        await told
        (alarm,) = await rig.open_alarms()
        assert alarm["t2_s"] == 3.5
        assert rig.counters.t2.count == 1
        await rig.sync()
        (row,) = rig.read("SELECT durable_us, c.ready_us, t2_us FROM commits c JOIN alarms a ON c.id = a.id")
        assert row["ready_us"] == row["durable_us"] == rig.clock.now().utc_us
        assert row["t2_us"] == 3_500_000


async def test_an_alarm_whose_stamp_was_lost_is_ready_after_the_restart(tmp_path: Path) -> None:
    """A crash between commit and stamp leaves no alarm without the beginning of its t3, and the audit says so."""
    rig = Core(tmp_path)
    await rig.submit(signal())
    rig.crash()
    assert rig.read("SELECT ready_us FROM alarms") == [{"ready_us": None}]
    rig.clock.advance(100)
    async with core(tmp_path, clock=rig.clock) as rig:
        (alarm,) = await rig.open_alarms()
        assert alarm["t2_s"] == 100
        assert alarm["t3_s"] == 0
        await rig.sync()
        assert rig.read("SELECT ready_us FROM alarms") == [{"ready_us": rig.clock.now().utc_us}]
        assert rig.read("SELECT subject FROM audit WHERE action = 'ready'") == [{"subject": "alarm 1"}]
        assert rig.flaws() == []


async def test_watchers_receive_durable_events(tmp_path: Path) -> None:
    """They receive signals, new alarms, alarms that grew or became more urgent, in the order of the commits."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        events = rig.watchers.watch()
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await rig.submit(signal(code="302", kind=Kind.BATTERY_LOW, text="low"))
        await rig.submit(signal(code="302", kind=Kind.BATTERY_LOW))
        await rig.submit(signal())
        heard: list[Any] = [
            checked("watch", event) for event in [await first, *[await anext(events) for _ in range(5)]]
        ]
        await events.aclose()
        assert [event["event"] for event in heard] == ["signal", "alarm", "signal", "joined", "signal", "lifted"]
        said = heard[0]["signal"]
        assert (said["id"], said["alarm"], said["home"], said["kind"]) == (1, 1, "H1", "battery_low")
        assert [event["alarm"]["signals"] for event in heard[1::2]] == [1, 2, 3]
        assert heard[5]["alarm"]["priority"] == "LIFE"


async def test_a_key_never_reaches_a_row(tmp_path: Path) -> None:
    """Only the name of the key that opened a frame is stored."""
    secret = Key(name="spring", secret=b"0123456789abcdef")
    async with core(tmp_path, accounts=[KEYED]) as rig:
        await rig.submit(signal("5678", sealed_with=secret.name))
        (row,) = rig.read("SELECT * FROM signals")
        assert row["sealed_with"] == "spring"
        assert secret.secret not in repr(row).encode()
