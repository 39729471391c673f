"""An alarm that its operator left goes before a supervisor, also after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import ANA, BERTA, SARA, Core, core, signal
from tests.rigs.marks import HOLD_S, MAX_S, WARN_S, alarm, battery, causes, escalated, hasty, passes
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from pathlib import Path


# --- an operator who vanishes -----------------------------------------------------------------------------------------


async def test_an_answered_alarm_whose_operator_vanishes_goes_before_a_supervisor(tmp_path: Path) -> None:
    """It stays answered and in that operator's name; all can see that it is left, so it cannot be forgotten."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, HOLD_S - 0.001)
        held = await alarm(rig)
        assert (held["escalated"], held["lapsed"], held["lease_s"]) == (0, None, 0)
        assert held["due_s"] == pytest.approx(0.001)
        with capture_logs() as log:
            await passes(rig, 0.001)
        left = await alarm(rig)
        assert (left["state"], left["operator"], left["escalated"]) == ("answered", "ana", 1)
        assert (left["lapsed"], left["escalated_why"]) == ("2026-01-01T00:00:00.100000Z", "hold_lapsed")
        assert [(line["event"], line["why"]) for line in log] == [("alarm.escalated", "hold_lapsed")]
        assert causes(rig) == {"hold_lapsed": 1}
        assert [row["detail"] for row in rig.read("SELECT detail FROM audit WHERE action = 'escalate'")] == [
            '{"why":"hold_lapsed"}'
        ]
        await passes(rig, HOLD_S)
        assert await escalated(rig) == 2
        taken = await rig.ask("queue.claim", BERTA, alarm=1)
        assert (taken["operator"], taken["lapsed"], taken["detail"]) == ("berta", None, {"from": "ana"})
        await passes(rig, HOLD_S - 0.001)
        assert await escalated(rig) == 2


@pytest.mark.parametrize(
    ("do", "arguments"),
    [
        ("claim", {}),
        ("note", {"text": "ambulance sent"}),
        ("escalate", {"why": "no keys"}),
        ("handover", {"to": "ana"}),
    ],
)
async def test_every_action_of_the_holder_renews_the_hold(
    tmp_path: Path, do: str, arguments: dict[str, object]
) -> None:
    """An operator who notes, escalates or claims again is active; the hold time runs from that moment."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, HOLD_S - 0.001)
        await rig.ask(f"queue.{do}", ANA, alarm=1, **arguments)
        await passes(rig, HOLD_S - 0.001)
        assert causes(rig).get("hold_lapsed") is None
        await passes(rig, 0.001)
        assert causes(rig)["hold_lapsed"] == 1


async def test_a_colleague_s_note_does_not_renew_the_hold(tmp_path: Path) -> None:
    """Actions of other operators do not show that the holder is active."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, HOLD_S - 0.001)
        await rig.ask("queue.note", BERTA, alarm=1, text="ana has gone home")
        await rig.ask("queue.escalate", BERTA, alarm=1, why="ana has gone home")
        await passes(rig, 0.001)
        assert causes(rig) == {"asked": 1, "hold_lapsed": 1}


async def test_a_technical_alarm_is_held_too(tmp_path: Path) -> None:
    """It is escalated once, and again for each operator who takes it and vanishes."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(battery())
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, HOLD_S)
        await passes(rig, 10 * HOLD_S)
        assert causes(rig) == {"hold_lapsed": 1}
        await rig.ask("queue.handover", SARA, alarm=1, to="berta", force=True)
        await passes(rig, HOLD_S)
        assert causes(rig) == {"hold_lapsed": 2}


async def test_a_colleague_who_never_takes_over_is_noticed(tmp_path: Path) -> None:
    """An alarm that was handed to an operator who is not at their desk lapses like any other."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.handover", alarm=1, to="berta")
        await passes(rig, HOLD_S)
        left = await alarm(rig)
        assert (left["operator"], left["escalated"]) == ("berta", 1)
        assert left["lapsed"] is not None


# --- restarts and reboots ---------------------------------------------------------------------------------------------


async def test_alarms_that_are_open_at_the_start_are_followed(tmp_path: Path) -> None:
    """A restart loses no limit: one that passed meanwhile takes effect at once, the next one at its time."""
    clock = ManualClock()
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await rig.submit(signal("1"))
        await passes(rig, WARN_S)
        await rig.submit(signal("2"))
    clock.advance(MAX_S - WARN_S)
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await passes(rig, 0)
        first, second = await alarm(rig, 1), await alarm(rig, 2)
        assert (first["escalated"], second["escalated"]) == (1, 0)
        assert second["warned"] is not None
        await passes(rig, MAX_S - WARN_S)
        assert (await escalated(rig, 1), await escalated(rig, 2)) == (1, 1)
        assert rig.counters.warnings[Priority.LIFE] == 1


async def test_an_operator_s_own_escalation_uses_up_no_mark(tmp_path: Path) -> None:
    """An operator's request is counted, and after a restart the receiver still warns and escalates by the clock."""
    clock = ManualClock()
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.escalate", alarm=1, why="she sounds confused")
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await passes(rig, WARN_S)
        assert rig.counters.warnings[Priority.LIFE] == 1
        await passes(rig, MAX_S - WARN_S)
        assert await escalated(rig) == 2


async def test_a_hold_continues_after_a_restart(tmp_path: Path) -> None:
    """The monotonic clock of this boot goes on, whatever the wall clock does; no escalation is repeated."""
    clock = ManualClock()
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await rig.submit(signal("1"), battery("2"))
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.answer", alarm=2)
    clock.advance(HOLD_S - 0.001)
    clock.step_wall(3_600)
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await passes(rig, 0)
        assert causes(rig) == {}
        await passes(rig, 0.001)
        assert causes(rig) == {"hold_lapsed": 2}
    clock.step_wall(-7_200)
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await passes(rig, HOLD_S - 0.001)
        assert causes(rig) == {}
        await passes(rig, 0.001)
        assert (await escalated(rig, 1), await escalated(rig, 2)) == (2, 1)


@pytest.mark.parametrize("held", ["answer", "claim"])
async def test_after_a_reboot_a_held_alarm_goes_before_a_supervisor(tmp_path: Path, held: str) -> None:
    """The clock does not show how long the operator has been inactive, so the alarm is escalated at once."""
    clock = ManualClock()
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await rig.submit(signal("1"))
        await passes(rig, WARN_S)
        await passes(rig, MAX_S - WARN_S)
        await rig.ask(f"queue.{held}", alarm=1)
        assert await escalated(rig) == 1
        await rig.sync()
        another_boot(rig)
    async with core(tmp_path, settings=hasty(tmp_path), clock=ManualClock()) as rig:
        await passes(rig, 0)
        assert await escalated(rig) == 2
        await rig.sync()
        rows = rig.read("SELECT escalated, boot, due_mono_us FROM alarms")
        assert rows == [{"escalated": 2, "boot": 2, "due_mono_us": round(HOLD_S * 1e6)}]


async def test_after_a_reboot_a_waiting_call_is_escalated_by_the_wall_clock(tmp_path: Path) -> None:
    """It has waited since it was ready; warnings from before the reboot are not repeated."""
    clock = ManualClock()
    async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
        await rig.submit(signal("1"), signal("2"))
        await passes(rig, WARN_S)
        assert rig.counters.warnings[Priority.LIFE] == 2
        another_boot(rig)
    async with core(tmp_path, settings=hasty(tmp_path), clock=ManualClock()) as rig:
        rig.clock.step_wall(MAX_S)
        await passes(rig, MAX_S - WARN_S - 0.001)
        assert causes(rig) == {}
        await passes(rig, WARN_S + 0.001)
        assert causes(rig) == {"unanswered": 2}
        assert rig.counters.warnings[Priority.LIFE] == 0


def another_boot(rig: Core) -> None:
    """Make the journal look as if it was written before a restart of the machine."""
    connection = rig.journal._connection
    connection.execute("UPDATE boots SET boot = 'another'")
