"""Supervision with a real journal: the days in the ledger."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import core, until
from tests.rigs.watched import (
    DAY_S,
    HOME,
    INTERVAL_S,
    beat,
    fleet_of,
    ledger,
    presence,
    wait,
)
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.supervision import DayOf, Expected
from vetlla.receiver.supervision import records
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_day_is_written_when_it_ends(tmp_path: Path) -> None:
    """The ledger has what was expected and received, the longest silence, and the unsupervised time with its reason."""
    # ManualClock begins at midnight UTC, which is 01:00 in Madrid: the first day has 23 hours left.
    quiet = Account(account="5678", home="H-2", interval_s=INTERVAL_S)
    async with core(tmp_path, accounts=[HOME, quiet]) as rig:
        for hour in range(23):
            rig.submit(beat())
            if hour == 12:
                await rig.register(Expected({}, {}, {"H-2"}))
            await wait(rig, 3_600)
        await wait(rig, 10)
        day = ledger(rig, "2026-01-01")
        assert day[0] == DayOf(0, 900, 3, 82_800, 23, 3_600, 0, Health.OK)
        assert (day[1].supervised_s, day[1].received) == (12 * 3_600, 0)
        assert Pause(day[1].reasons) == Pause.SUSPENDED
        assert day[1].longest_s >= 0
        assert rig.supervision.fleet.received[0] == 0
        assert rig.read("SELECT day, down_s FROM ledger_days ORDER BY day") == [
            {"day": "2026-01-01", "down_s": 0},
            {"day": "2026-01-02", "down_s": 0},
        ]


async def test_the_signs_of_a_new_day_wait_for_the_ended_one(tmp_path: Path) -> None:
    """Until the ledger has the ended day, its signs of life are the only proof that a crash would leave."""
    clock = ManualClock()
    clock.advance(22 * 3_600 + 1_800)  # half past eleven in Madrid
    async with core(tmp_path, accounts=fleet_of(2), clock=clock) as rig:
        rig.submit(beat("0000"))
        await wait(rig, records.EVERY_S)
        assert [unit.received for unit in rig.units()] == [1, 0]
        clock.advance(1_800)
        before = len(rig.journal.written)
        rig.supervision.look()
        rig.submit(beat("0001"))
        clock.advance(records.EVERY_S)
        await until(lambda: any(batch.supervision.signs for batch in rig.journal.written[before:]))
        written = [batch.supervision for batch in rig.journal.written[before:]]
        assert [bool(rows.signs) for rows in written if rows.stretches or rows.signs] == [False, True]
        assert [(unit.day, unit.received) for unit in rig.units()] == [("2026-01-02", 0), ("2026-01-02", 1)]
        assert [ledger(rig, "2026-01-01")[number].received for number in (0, 1)] == [1, 0]


async def test_a_day_that_the_previous_run_did_not_finish_is_written_by_the_next_run(tmp_path: Path) -> None:
    """The receiver stops in the evening and starts the next morning: the ledger has the day with its hours."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        for _ in range(12):
            rig.submit(beat())
            await wait(rig, 3_600)
        rig.commit.pulse()
        await rig.sync()
        clock = rig.clock
    clock.advance(20 * 3_600)
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        await rig.sync()
        (one,) = ledger(rig, "2026-01-01").values()
        assert (one.received, one.supervised_s) == (12, 12 * 3_600)
        days = {row["day"]: row["down_s"] for row in rig.read("SELECT day, down_s FROM ledger_days")}
        assert days == {"2026-01-01": 11 * 3_600, "2026-01-02": 9 * 3_600}


@pytest.mark.parametrize("down_s", [60, 1_200], ids=["restarted before midnight", "away at midnight"])
async def test_a_restart_makes_no_lost_device_a_checked_one(tmp_path: Path, down_s: int) -> None:
    """A device that was silent all day is a breach, even if the receiver restarts in the last minutes of the day."""
    homes = [HOME, Account(account="5678", home="H-2", interval_s=INTERVAL_S)]
    async with core(tmp_path, accounts=homes) as rig:
        await rig.submit(presence())
        for _ in range(91):
            await wait(rig, INTERVAL_S)  # ends at 23:45 in Madrid
        rig.commit.pulse()
        await rig.sync()
        clock = rig.clock
    clock.advance(down_s)
    async with core(tmp_path, accounts=homes, clock=clock) as rig:
        await wait(rig, 1_200)
        for day in ledger(rig, "2026-01-01").values():
            assert day.supervised_s > 80_000
            assert day.longest_s > 80_000


async def test_the_registry_is_read_again_on_a_new_day(tmp_path: Path) -> None:
    """The registry is read again, because suspensions begin and end with a day."""
    days = []
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.supervision.on_new_day = lambda: days.append(rig.supervision.today)
        await wait(rig, DAY_S)
        await wait(rig, DAY_S)
    assert days == [date(2026, 1, 2), date(2026, 1, 3)]
