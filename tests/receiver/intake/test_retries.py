"""Retries and calls that look like them: terminals that always send one number, and repetitions that say more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.callers import HOME
from tests.rigs.core import ANA, SARA, Core, core, signal, small
from vetlla.domain.alarms import Cause
from vetlla.domain.clock import to_datetime
from vetlla.domain.signals import DUPLICATE, STORED, Event, Kind, Phase, Position, Priority, Signal

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.signals import Verdict

RESTORE = Event(Kind.PERSONAL_EMERGENCY, Phase.RESTORE, "101", "ADM-CID")
TIMES = ["untimed", "sent", "occurred"]


def press(**said: Any) -> Signal:  # noqa: ANN401 - a signal's fields
    return signal(identity=b"0001 press", **said)


async def tell(rig: Core, said: Signal) -> Verdict:
    verdicts = (await rig.submit(said)).verdicts
    assert verdicts is not None
    (verdict,) = verdicts
    return verdict


async def close_all(rig: Core) -> None:
    for alarm in await rig.open_alarms():
        await rig.ask("queue.answer", ANA, alarm=alarm["id"])
        await rig.ask("queue.close", ANA, alarm=alarm["id"], outcome="handled_by_voice")


def stored(rig: Core) -> int:
    return int(rig.read("SELECT count(*) AS n FROM signals")[0]["n"])


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("time", TIMES)
async def test_after_the_alarm_was_closed_the_same_report_is_another_call(
    tmp_path: Path, time: str, *, restart: bool
) -> None:
    """Cases D1-1 and D1-2: number and data are the same, with any time or none, and a new LIFE alarm opens."""

    async def once_more(rig: Core, stamps: dict[str, Any]) -> None:
        assert await tell(rig, press(**stamps)) == STORED
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["priority"], alarm["state"]) == (2, "LIFE", "waiting")

    async with core(tmp_path, accounts=[HOME]) as rig:
        now = to_datetime(rig.clock.now().utc_us)
        stamps = {} if time == "untimed" else {f"{time}_at": now}
        assert await tell(rig, press(**stamps)) == STORED
        await close_all(rig)
        clock = rig.clock
        clock.advance(2)
        if not restart:
            await once_more(rig, stamps)
    if restart:
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            await once_more(rig, stamps)


@pytest.mark.parametrize("restart", [False, True])
async def test_a_restore_between_makes_it_another_call(tmp_path: Path, *, restart: bool) -> None:
    """Case D1-3: press, restore and press under one number are three signals."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert await tell(rig, press()) == STORED
        assert await tell(rig, signal(identity=b"0001 restore", event=RESTORE)) == STORED
        clock = rig.clock
        if not restart:
            assert await tell(rig, press()) == STORED
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        if restart:
            assert await tell(rig, press()) == STORED
        assert stored(rig) == 3
        (alarm,) = await rig.open_alarms()
        assert (alarm["signals"], alarm["told_again"]) == (3, 0)


async def test_a_report_of_another_home_does_not_lie_between(tmp_path: Path) -> None:
    """A heartbeat does not either, because it is not stored."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert await tell(rig, press()) == STORED
        assert await tell(rig, signal("9999")) == STORED
        beat = Event(Kind.HEARTBEAT, Phase.STATUS, "NULL", "dc09")
        assert await tell(rig, signal(event=beat)) == STORED
        assert await tell(rig, press()) == DUPLICATE


async def test_a_retry_is_shown_on_its_alarm(tmp_path: Path) -> None:
    """The list shows the number and time of the retries, also after a restart."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await tell(rig, press())
        for _ in range(2):
            rig.clock.advance(20)
            assert await tell(rig, press()) == DUPLICATE
        (alarm,) = await rig.open_alarms()
        assert (alarm["signals"], alarm["told_again"]) == (1, 2)
        assert alarm["last_told_again"] == "2026-01-01T00:00:40.000000Z"
        clock = rig.clock
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        (same,) = await rig.open_alarms()
        assert (same["told_again"], same["last_told_again"]) == (2, alarm["last_told_again"])
        assert await tell(rig, press()) == DUPLICATE
        assert (await rig.open_alarms())[0]["told_again"] == 3
        assert stored(rig) == 1


async def test_a_retry_that_was_lost_is_not_shown(tmp_path: Path) -> None:
    """If its commit failed, the alarm is unchanged, and the next retry counts as the first."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await tell(rig, press())
        rig.journal.failing = True
        assert (await rig.submit(press())).verdicts is None
        assert (await rig.open_alarms())[0]["told_again"] == 0
        await rig.healed()
        assert await tell(rig, press()) == DUPLICATE
        assert (await rig.open_alarms())[0]["told_again"] == 1


async def test_a_repetition_that_brings_the_place_is_stored_with_its_alarm(tmp_path: Path) -> None:
    """Case D1-6: the place reaches the operator who holds the alarm, and no second alarm opens."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await tell(rig, press())
        await rig.ask("queue.answer", ANA, alarm=1)
        rig.clock.advance(85)
        placed = press(position=Position(latitude=41.387, longitude=2.170))
        assert await tell(rig, placed) == STORED
        assert await tell(rig, placed) == DUPLICATE
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["signals"], alarm["told_again"]) == (1, 2, 1)
        (row,) = rig.read("SELECT more, flags & 2 AS repeated FROM signals WHERE alarm_id = 1 AND id = 2")
        assert '"latitude": 41.387' in row["more"]
        assert row["repeated"]


async def test_a_possible_call_does_not_wait_with_an_operator_who_left(tmp_path: Path) -> None:
    """A report without a time of its own, long after the first, joins the alarm and goes before a supervisor."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await tell(rig, press())
        await rig.ask("queue.answer", ANA, alarm=1)
        rig.clock.advance(600)
        assert await tell(rig, press()) == STORED
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["signals"], alarm["escalated"]) == (1, 2, 1)
        assert rig.counters.escalations[Priority.LIFE, Cause.TOLD_AGAIN] == 1
        assert rig.flaws() == []


async def test_two_times_of_occurrence_are_two_signals_of_one_alarm(tmp_path: Path) -> None:
    """The same number and data with another time of occurrence is another call, which joins the open alarm."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        now = to_datetime(rig.clock.now().utc_us)
        assert await tell(rig, press(occurred_at=now)) == STORED
        assert await tell(rig, press(occurred_at=now + timedelta(seconds=1))) == STORED
        (alarm,) = await rig.open_alarms()
        assert (alarm["signals"], alarm["told_again"]) == (2, 0)


async def test_a_burst_that_is_sent_again_is_stored_once(tmp_path: Path) -> None:
    """A device that sends several events before the receipts come repeats all; their times identify them."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        now = to_datetime(rig.clock.now().utc_us)
        burst = [signal(identity=b"%d" % ref, occurred_at=now) for ref in range(3)]
        assert [await tell(rig, one) for one in burst] == [STORED] * 3
        assert [await tell(rig, one) for one in burst] == [DUPLICATE] * 3
        clock = rig.clock
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert [await tell(rig, one) for one in burst] == [DUPLICATE] * 3


async def test_parts_of_one_frame_do_not_lie_between_one_another(tmp_path: Path) -> None:
    """A frame with several events is repeated as a whole, before and after a restart."""
    frame = [signal(identity=b"part %d" % part, part=part, parts=2) for part in (1, 2)]
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert (await rig.submit(*frame)).verdicts == [STORED, STORED]
        assert (await rig.submit(*frame)).verdicts == [DUPLICATE, DUPLICATE]
        clock = rig.clock
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert (await rig.submit(*frame)).verdicts == [DUPLICATE, DUPLICATE]


async def test_callers_without_an_account_are_never_taken_for_one_another(tmp_path: Path) -> None:
    """If two homes whose frames name no account send the same bytes, both are stored."""
    async with core(tmp_path) as rig:
        for peer in ("192.0.2.7:1", "192.0.2.8:1"):
            told = await rig.submit(signal("", identity=b"0001 press"), arrival=rig.arrival(peer))
            assert told.verdicts == [STORED]
        assert len(await rig.open_alarms()) == 2


@pytest.mark.parametrize("step_s", [3600, -86_400])
async def test_a_stepped_wall_clock_makes_no_call_of_a_retry(tmp_path: Path, step_s: float) -> None:
    """The window uses the monotonic clock, whichever way the wall clock is set."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await tell(rig, press())
        rig.clock.advance(20)
        rig.clock.step_wall(step_s)
        assert await tell(rig, press()) == DUPLICATE
        rig.clock.advance(1000)
        assert await tell(rig, press()) == STORED


@pytest.mark.parametrize("after_s", [1, 600])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_call_after_a_test_does_not_join_the_test_s_alarm(
    tmp_path: Path, after_s: int, *, restart: bool
) -> None:
    """The installer's press has the same number as every press; a press after the test is still in the queue."""

    async def call(rig: Core) -> None:
        assert await tell(rig, press()) == STORED
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["priority"], alarm["state"]) == (2, "LIFE", "waiting")
        assert await tell(rig, press()) == DUPLICATE

    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.ask("queue.test", SARA, account="1234", seconds=1800, reason="installation")
        assert await tell(rig, press()) == STORED
        assert await tell(rig, press()) == DUPLICATE
        await rig.ask("queue.test", SARA, account="1234", seconds=0)
        clock = rig.clock
        clock.advance(after_s)
        if not restart:
            await call(rig)
    if restart:
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            await call(rig)


async def test_an_emergency_marked_as_reported_before_is_new_if_none_is_known(tmp_path: Path) -> None:
    """An old event of SIA DC-03 (O) may have been reported to another receiver only."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert await tell(rig, signal(repeated=True)) == STORED
        (alarm,) = await rig.open_alarms()
        assert alarm["priority"] == "LIFE"
        assert await tell(rig, signal(repeated=True)) == STORED
        (alarm,) = await rig.open_alarms()
        assert alarm["signals"] == 2
        await close_all(rig)
        rig.clock.advance(60)
        assert await tell(rig, signal(repeated=True)) == STORED
        assert await rig.open_alarms() == []  # an operator has just closed it
        rig.clock.advance(1801)
        assert await tell(rig, signal(repeated=True)) == STORED
        assert len(await rig.open_alarms()) == 1


@pytest.mark.parametrize("after_s", [20, 100])
async def test_a_call_after_a_lapsed_test_is_no_retry_of_the_installers_call(tmp_path: Path, after_s: int) -> None:
    """The test's alarm is shown apart and has no marks, so the receiver must not count a user's call there."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.ask("queue.test", SARA, account="1234", seconds=10, reason="installer on site")
        assert await tell(rig, press()) == STORED
        assert await tell(rig, press()) == DUPLICATE
        assert await rig.open_alarms() == []
        rig.clock.advance(after_s)
        assert await tell(rig, press()) == STORED
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["priority"], alarm["on_test"]) == (2, "LIFE", False)
        assert await tell(rig, press()) == DUPLICATE


async def test_a_retry_of_an_alarm_that_its_operator_left_goes_before_a_supervisor(tmp_path: Path) -> None:
    """If a terminal always sends 0001, it may be a second press. While the operator is active, it is not escalated."""
    async with core(tmp_path, accounts=[HOME], settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        await tell(rig, press())
        await rig.ask("queue.answer", ANA, alarm=1)
        rig.clock.advance(20)
        assert await tell(rig, press()) == DUPLICATE
        (alarm,) = await rig.open_alarms()
        assert (alarm["told_again"], alarm["escalated"]) == (1, 0)
        rig.clock.advance(60)
        assert await tell(rig, press()) == DUPLICATE
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["state"], alarm["told_again"]) == (1, "answered", 2)
        assert (alarm["escalated"], alarm["escalated_why"]) == (1, Cause.TOLD_AGAIN)
    async with core(tmp_path, accounts=[HOME], clock=rig.clock) as rig:
        (alarm,) = await rig.open_alarms()
        assert (alarm["told_again"], alarm["escalated"]) == (2, 1)


async def test_a_retry_of_a_runaway_whose_alarm_was_closed_is_a_retry(tmp_path: Path) -> None:
    """A runaway's report is kept with its closed alarm, so its retry is not stored as another report."""
    settings = small(tmp_path, queue={"runaway_signals": 2})

    def low(number: int) -> Signal:
        return signal(code="302", kind=Kind.BATTERY_LOW, identity=f"{number}".encode())

    async with core(tmp_path, accounts=[HOME], settings=settings) as rig:
        for number in range(3):
            assert await tell(rig, low(number)) == STORED
        await close_all(rig)
        assert await tell(rig, low(3)) == STORED
        assert await rig.open_alarms() == []
        assert await tell(rig, low(3)) == DUPLICATE
        assert stored(rig) == 4
