"""Supervision when the wall clock is set: a lost device stays a breach, and no duration changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import SARA, Core, core
from tests.rigs.watched import HOME, INTERVAL_S, LOST_AFTER_S, alive, beat, fleet_of, ledger, state, wait
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.supervision import Expected
from vetlla.service.supervision.report import DayBounds, Verdict, judged
from vetlla.service.supervision.rules import Expectation, Health, Pause, checked_in_time

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3_600
DAY = "2026-01-01"
NEXT = "2026-01-02"
TOLERANCE_S = 5.0
QUIET = Account(account="5678", home="H-2", interval_s=INTERVAL_S)


def at(hour: int, minute: int = 0, *, day: int = 1, month: int = 1) -> ManualClock:
    """Return a clock that shows a winter time of Madrid."""
    return ManualClock(datetime(2026, month, day, tzinfo=UTC) + timedelta(hours=hour - 1, minutes=minute))


def down_s(rig: Core) -> dict[str, int]:
    return {row["day"]: row["down_s"] for row in rig.read("SELECT day, down_s FROM ledger_days")}


def verdict(rig: Core, day: str, unit: int, length_s: int = 24 * HOUR_S) -> Verdict:
    return judged(ledger(rig, day)[unit], DayBounds(length_s - down_s(rig)[day], TOLERANCE_S)).verdict


async def beats(rig: Core, count: int) -> None:
    """Let the home send a heartbeat every quarter of an hour."""
    for _ in range(count):
        rig.submit(beat())
        await wait(rig, INTERVAL_S)


@pytest.mark.parametrize("step_s", [HOUR_S, 2 * HOUR_S, 26 * HOUR_S, 80 * HOUR_S])
async def test_a_step_over_midnight_makes_no_lost_device_a_checked_one(tmp_path: Path, step_s: int) -> None:
    """A device that is lost when the clock jumps from 23:30 into the next day is a breach of the ended day."""
    async with core(tmp_path, accounts=[HOME, QUIET], clock=at(22, 43)) as rig:
        rig.submit(beat("5678"))
        await beats(rig, 3)
        await wait(rig, 120)
        assert state(rig, "5678") is Health.LOST
        rig.clock.step_wall(step_s)
        await wait(rig, 1)
        day = ledger(rig, DAY)
        assert day[1].longest_s >= LOST_AFTER_S
        assert verdict(rig, DAY, 1) is Verdict.BREACH
        assert verdict(rig, DAY, 0) is Verdict.CHECKED
        # The first day counts from midnight, also the 22 h 43 min before the start. The step took the last 30 min.
        assert (day[0].received, down_s(rig)[DAY]) == (3, 30 * 60)
        assert rig.flaws() == []


async def test_the_hours_that_a_step_skips_belong_to_no_day(tmp_path: Path) -> None:
    """The step takes half an hour from each of two days, and neither day counts it as supervised."""
    async with core(tmp_path, accounts=[HOME], clock=at(0)) as rig:
        await beats(rig, 94)  # 23:30
        rig.clock.step_wall(HOUR_S)
        await beats(rig, 95)  # 00:15, and on to 24:00
        days = [ledger(rig, day)[0] for day in (DAY, NEXT)]
        assert [(day.received, day.supervised_s) for day in days] == [(94, 84_600), (94, 84_600)]
        assert down_s(rig) == {DAY: 1_800, NEXT: 1_800, "2026-01-03": 0}


@pytest.mark.parametrize("midnight_first", [False, True])
async def test_a_clock_that_is_set_back_ends_no_day_twice(tmp_path: Path, midnight_first: bool) -> None:  # noqa: FBT001
    """The repeated hour belongs to the open day; nothing is counted twice, and nothing is lost."""
    async with core(tmp_path, accounts=[HOME, QUIET], clock=at(0)) as rig:
        rig.submit(beat("5678"))
        await beats(rig, 97 if midnight_first else 94)
        rig.clock.step_wall(-HOUR_S)
        await beats(rig, 100 if midnight_first else 7)
        first = ledger(rig, DAY)[0]
        assert first.received == (96 if midnight_first else 100)
        assert first.supervised_s == 86_400
        assert down_s(rig)[DAY] == 0
        if midnight_first:
            assert (ledger(rig, NEXT)[0].received, down_s(rig)[NEXT]) == (100, 0)
        assert verdict(rig, DAY, 0) is Verdict.CHECKED
        assert verdict(rig, DAY, 1) is Verdict.BREACH


async def test_there_and_back_over_midnight(tmp_path: Path) -> None:
    """The clock goes forward an hour at 23:30 and back ten minutes later: each sign of life counts in one day."""
    async with core(tmp_path, accounts=[HOME], clock=at(0)) as rig:
        await beats(rig, 94)
        rig.clock.step_wall(HOUR_S)
        await wait(rig, 600)
        rig.clock.step_wall(-HOUR_S)
        await beats(rig, 99)
        assert ledger(rig, DAY)[0].received + ledger(rig, NEXT)[0].received >= 94 + 97
        assert down_s(rig)[DAY] == 1_800
        assert down_s(rig)[NEXT] == 0
        assert verdict(rig, NEXT, 0) is Verdict.CHECKED


@pytest.mark.parametrize(("day", "month", "hours"), [(29, 3, 23), (25, 10, 25)])
async def test_the_nights_of_summer_time_have_their_hours(tmp_path: Path, day: int, month: int, hours: int) -> None:
    """A day of 23 or 25 hours is supervised for all its hours, because UTC goes on."""
    name = f"2026-{month:02}-{day}"
    clock = ManualClock(datetime(2026, month, day, tzinfo=UTC) - timedelta(hours=1 if month == 3 else 2))
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        await beats(rig, 4 * hours + 1)
        one = ledger(rig, name)[0]
        assert (one.received, one.supervised_s, down_s(rig)[name]) == (4 * hours, hours * HOUR_S, 0)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
async def test_a_step_changes_no_pause(tmp_path: Path, step_s: int) -> None:
    """Two hours without supervision count as two hours, whatever the clock showed at their start."""
    async with core(tmp_path, accounts=[HOME], clock=at(0)) as rig:
        await beats(rig, 40)
        await rig.register(Expected({}, {}, {"H-1"}))
        await wait(rig, HOUR_S)
        rig.clock.step_wall(step_s)
        await wait(rig, HOUR_S)
        await rig.register()
        left_s = 14 * HOUR_S - 2 * HOUR_S - step_s
        await beats(rig, left_s // INTERVAL_S + 2)
        one = ledger(rig, DAY)[0]
        assert Pause(one.reasons) == Pause.SUSPENDED
        observed_s = 24 * HOUR_S - max(0, step_s)
        assert one.supervised_s == observed_s - 2 * HOUR_S


async def test_a_pause_after_a_clock_was_set_back_over_midnight_counts(tmp_path: Path) -> None:
    """A pause counts on the open day even if its stamps lie before the start of that day."""
    async with core(tmp_path, accounts=[HOME], clock=at(0)) as rig:
        await beats(rig, 97)
        rig.clock.step_wall(-HOUR_S)  # 23:15, and the next day is open
        await rig.register(Expected({}, {}, {"H-1"}))
        await wait(rig, 1_800)
        await rig.register()
        await beats(rig, 98)
        assert ledger(rig, NEXT)[0].supervised_s == 86_400 - 1_800


@pytest.mark.parametrize(("is_heard", "found"), [(True, Health.OK), (False, Health.UNKNOWN)])
async def test_a_step_keeps_which_devices_were_heard(tmp_path: Path, is_heard: bool, found: Health) -> None:  # noqa: FBT001
    """Whether a device was heard while it was not supervised depends on the order of events, not on stamps."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await beats(rig, 2)
        rig.clock.step_wall(-HOUR_S if is_heard else HOUR_S)
        rig.submit(beat())
        await wait(rig, 60)
        rig.clock.step_wall(0 if is_heard else -HOUR_S)
        await rig.register(Expected({}, {}, {"H-1"}))
        await wait(rig, 60)
        rig.clock.step_wall(-HOUR_S if is_heard else 0)
        if is_heard:
            rig.submit(beat())
        await wait(rig, 60)
        await rig.register()
        assert state(rig) is found


async def test_a_lost_device_stays_a_breach_when_the_clock_is_set_back_before_a_restart(tmp_path: Path) -> None:
    """The next run reads a silence that is an hour too short, but it knows that the device was lost."""
    async with core(tmp_path, accounts=[HOME, QUIET], clock=at(22, 30)) as rig:
        rig.submit(beat("5678"))
        await beats(rig, 3)
        await wait(rig, 60)
        assert state(rig, "5678") is Health.LOST
        rig.clock.step_wall(-HOUR_S)
        await alive(rig)
        clock = rig.clock
    clock.advance(10)
    clock.step_wall(2 * HOUR_S - 60)
    async with core(tmp_path, accounts=[HOME, QUIET], clock=clock) as rig:
        await wait(rig, 120)
        assert ledger(rig, DAY)[1].longest_s >= 3 * INTERVAL_S + TOLERANCE_S
        assert state(rig, "5678") is Health.LOST


async def test_a_clock_that_was_years_ahead_is_set_right(tmp_path: Path) -> None:
    """The correct day goes on with its earlier counts, and no ledger row is deleted."""
    async with core(tmp_path, accounts=[HOME, QUIET], clock=at(0)) as rig:
        rig.submit(beat("5678"))
        await beats(rig, 40)  # until 10:00; the silent device is lost
        rig.clock.step_wall(4 * 365 * 86_400)
        rig.submit(beat("5678"))
        await beats(rig, 8)
        rig.clock.step_wall(-4 * 365 * 86_400)
        rig.submit(beat("5678"))
        for _ in range(48):
            rig.submit(beat("5678"))
            await beats(rig, 1)
        rig.clock.advance(0)
        await wait(rig, 1)
        one, quiet = ledger(rig, DAY)[0], ledger(rig, DAY)[1]
        assert one.received == 40 + 48
        assert one.supervised_s == 22 * HOUR_S
        assert quiet.longest_s >= 9 * HOUR_S
        assert verdict(rig, DAY, 1) is Verdict.BREACH
        assert down_s(rig)[DAY] == 2 * HOUR_S
        assert rig.supervision.today.isoformat() == NEXT
        ahead = ledger(rig, "2029-12-31")[0]
        assert (ahead.received, ahead.supervised_s) == (8, 2 * HOUR_S)


async def test_a_restart_with_a_clock_that_is_behind_loses_no_day(tmp_path: Path) -> None:
    """A receiver that starts with the time of the evening before keeps its counts of the new day."""
    async with core(tmp_path, accounts=[HOME, QUIET], clock=at(0)) as rig:
        rig.submit(beat("5678"))
        await beats(rig, 100)  # 01:00 of the next day
        await alive(rig)
        clock = rig.clock
    clock.step_wall(-2 * HOUR_S)
    async with core(tmp_path, accounts=[HOME, QUIET], clock=clock) as rig:
        await wait(rig, 60)
        clock.step_wall(2 * HOUR_S)
        await wait(rig, 60)
        await beats(rig, 92)
        await wait(rig, 60)
        assert [verdict(rig, day, 1) for day in (DAY, NEXT)] == [Verdict.BREACH] * 2
        assert ledger(rig, DAY)[0].received == 96
        assert ledger(rig, NEXT)[0].received == 4 + 92
        assert max(ledger(rig, NEXT)[0].supervised_s, ledger(rig, DAY)[0].supervised_s) <= 86_400


async def test_the_last_run_is_the_one_of_the_last_boot(tmp_path: Path) -> None:
    """An earlier boot with a clock that was ahead does not give the end of the previous run."""
    async with core(tmp_path, accounts=fleet_of(1)) as rig:
        await alive(rig)
        later_us = rig.clock.now().utc_us + 10**15
        (boot,) = rig.read("SELECT id FROM boots")
        rig.journal._connection.execute("UPDATE boots SET id = id + 1")
        rig.journal._connection.execute(
            "INSERT INTO boots (id, boot, first_us, alive_us) VALUES (?, 'earlier', 0, ?)", (boot["id"], later_us)
        )
        assert rig.journal.supervision().alive_us == rig.clock.now().utc_us


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S, -100 * HOUR_S])
async def test_no_age_is_negative_and_none_jumps(tmp_path: Path, step_s: int) -> None:
    """The ages of an alarm and of an incident do not depend on the wall clock."""
    async with core(tmp_path, accounts=fleet_of(12)) as rig:
        await wait(rig, LOST_AFTER_S)
        await wait(rig, 60)
        rig.clock.step_wall(step_s)
        (alarm,) = await rig.open_alarms()
        (incident,) = await rig.ask("supervision.incidents", SARA)
        assert 59 <= alarm["age_s"] <= 61
        assert 59 <= incident["age_s"] <= 61
        await rig.ask("queue.claim", alarm=alarm["id"])
        await rig.ask("queue.answer", alarm=alarm["id"])
        rig.clock.step_wall(-step_s)
        await rig.ask("queue.close", alarm=alarm["id"], outcome="other")
        await rig.sync()
        assert rig.flaws() == []


def test_a_breach_is_what_makes_a_device_lost() -> None:
    """These tests judge by the same rule as the report."""
    assert not checked_in_time(LOST_AFTER_S, Expectation(INTERVAL_S, 3), TOLERANCE_S)
