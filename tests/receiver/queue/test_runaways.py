"""The effect of a runaway device on the queue, and the reports that it must not hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import SARA, core, signal, small
from tests.rigs.desk_homes import HOME, battery, handle, say, stored
from vetlla.domain.signals import Flag, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.signals import Signal

CHATTER = {"runaway_signals": 3, "runaway_window_s": 60.0}


async def test_a_device_that_runs_away_is_handled_once(tmp_path: Path) -> None:
    """Its repetitions beyond the limit are stored with the closed alarm until the window ends."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=CHATTER)) as rig:
        await say(rig, *[battery()] * 4)
        assert [(alarm["signals"], alarm["runaway"]) for alarm in await rig.open_alarms()] == [(4, True)]
        await handle(rig, 1)
        await say(rig, *[battery()] * 5)
        assert await rig.open_alarms() == []
        assert [row["alarm_id"] for row in stored(rig)] == [1] * 9
        assert [bool(row["flags"] & Flag.RUNAWAY) for row in stored(rig)] == [False] * 3 + [True] * 6
        rig.clock.advance(61)
        await say(rig, battery())
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2]


async def test_a_runaway_s_alarm_grows_while_it_is_open(tmp_path: Path) -> None:
    """If the alarm was answered and its holder left, repetitions of the device count there and open no new alarm."""
    queue = CHATTER | {"lease_s": 10.0}
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=queue)) as rig:
        await say(rig, *[battery()] * 4)
        await rig.ask("queue.answer", alarm=1)
        rig.clock.advance(20)
        await say(rig, battery())
        assert [(alarm["id"], alarm["signals"]) for alarm in await rig.open_alarms()] == [(1, 5)]


@pytest.mark.parametrize(
    "other",
    [
        battery(device="2"),
        battery("1112"),
        signal("1111", "301", kind=Kind.MAINS_LOST),
        signal("1111", "154", kind=Kind.FLOOD),
    ],
)
async def test_a_runaway_hides_no_other_device_and_no_other_report(tmp_path: Path, other: Signal) -> None:
    """While a device runs away, reports of other devices and its own other reports open alarms as usual."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=CHATTER)) as rig:
        await say(rig, *[battery()] * 5)
        await handle(rig, 1)
        await say(rig, battery(), other)
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2]


async def test_an_emergency_is_never_grouped_as_a_runaway(tmp_path: Path) -> None:
    """A UCR that is pressed for the hundredth time opens an alarm as it did the first time."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=CHATTER)) as rig:
        for number in range(1, 8):
            await say(rig, signal("1111"))
            assert [alarm["id"] for alarm in await rig.open_alarms()] == [number]
            await handle(rig, number)


async def test_a_runaway_on_test_hides_nothing_afterwards(tmp_path: Path) -> None:
    """A report that an installer tried a hundred times opens an alarm after the test."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=CHATTER)) as rig:
        await rig.ask("queue.test", SARA, account="1111", seconds=10, reason="")
        await say(rig, *[battery()] * 5)
        await handle(rig, 1)
        rig.clock.advance(10)
        await say(rig, battery())
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2]


async def test_no_device_is_grouped_for_reports_that_were_not_stored(tmp_path: Path) -> None:
    """After a failed commit the count starts again, because an extra alarm is better than a missing one."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue=CHATTER)) as rig:
        await say(rig, *[battery()] * 4)
        await handle(rig, 1)
        rig.journal.failing = True
        assert (await rig.submit(battery())).verdicts is None
        await rig.healed()
        await say(rig, battery())
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2]


async def test_unnamed_callers_do_not_run_away_together(tmp_path: Path) -> None:
    """Callers without an account are identified by their addresses, so a runaway hides no flood of another caller."""
    async with core(tmp_path, settings=small(tmp_path, queue=CHATTER)) as rig:
        flood = signal("", "154", kind=Kind.FLOOD)
        for _ in range(4):
            await rig.submit(flood, arrival=rig.arrival("192.0.2.1:1"))
        await handle(rig, 1)
        await rig.submit(flood, arrival=rig.arrival("192.0.2.2:1"))
        assert [(alarm["home"], alarm["runaway"]) for alarm in await rig.open_alarms()] == [("192.0.2.2", False)]
