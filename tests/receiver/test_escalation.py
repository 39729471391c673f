"""An alarm that nobody answers goes before a supervisor at the limits of t3, whatever happened to it meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.receiver.core import ANA, LOOPS, SARA, Core, core, run, signal, small, until
from vetlla.clock import ManualClock
from vetlla.signals import Event, Kind, Phase

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.model import Settings

WARN_S, MAX_S = 0.02, 0.04
"""The timers are the loop's own; what is due is judged by the clock that only tests move."""


def hasty(directory: Path) -> Settings:
    return small(directory, queue={"t3_warn_s": WARN_S, "t3_max_s": MAX_S, "chain_window_s": 1000.0})


async def escalated(rig: Core, number: int = 1) -> int:
    await rig.sync()
    card = rig.desk.find(number)
    return card.alarm.escalated


async def passes(rig: Core, seconds: float) -> None:
    """Let time pass, and every timer that is due by then fire."""
    rig.clock.advance(seconds)
    due = rig.escalation._due
    await until(lambda: not due or due[0][0] > rig.clock.now().mono_us)
    await rig.sync()


@pytest.mark.parametrize("loop", LOOPS)
def test_an_unanswered_alarm_is_escalated_at_both_limits(tmp_path: Path, loop: str) -> None:
    """Once at the warning, once at the maximum, and no more; told to log, metric, audit and watchers."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            events = rig.dispatch.watch([{}])
            await anext(events)
            await rig.submit(signal("1"))
            await passes(rig, WARN_S - 0.001)
            assert await escalated(rig) == 0
            with capture_logs() as log:
                await passes(rig, 0.001)
                assert await escalated(rig) == 1
                await passes(rig, MAX_S - WARN_S)
                assert await escalated(rig) == 2
            await passes(rig, 1000)
            assert await escalated(rig) == 2
            assert rig.counters.escalations == 2
            assert [(line["event"], line["alarm"]) for line in log] == [("alarm.escalated", 1)] * 2
            assert len(rig.read("SELECT id FROM audit WHERE action = 'escalate' AND actor = 'receiver'")) == 2
            assert rig.read("SELECT escalated FROM alarms") == [{"escalated": 2}]
            heard = [(await anext(events))["event"] for _ in range(4)]
            assert heard == ["signal", "alarm", "escalated", "escalated"]
            await events.aclose()

    run(scenario(), loop)


@pytest.mark.parametrize("done", ["answer", "close", "claim"])
def test_only_an_answer_stops_the_clock(tmp_path: Path, done: str) -> None:
    """An alarm that was answered or closed is left alone; one that is only claimed is not: t3 ends with the answer."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.submit(signal("1"))
            await rig.ask(f"queue.{done}", SARA, alarm=1, force=True, outcome="other")
            await passes(rig, 2 * MAX_S)
            assert rig.counters.escalations == (2 if done == "claim" else 0)

    run(scenario())


def test_only_what_a_person_waits_for_is_escalated(tmp_path: Path) -> None:
    """A low battery waits; so do alarms of accounts on test."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.ask("queue.test", SARA, account="2", seconds=60, reason="")
            await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
            await rig.submit(signal("2"))
            await passes(rig, 2 * MAX_S)
            assert rig.counters.escalations == 0

    run(scenario())


def test_an_alarm_that_became_urgent_is_followed_from_then_on(tmp_path: Path) -> None:
    """The limits of a lifted alarm run from the signal that lifted it."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
            await passes(rig, 500)
            await rig.submit(signal("1"))
            await passes(rig, WARN_S)
            assert await escalated(rig) == 1

    run(scenario())


def test_what_is_open_at_the_start_is_followed(tmp_path: Path) -> None:
    """A restart loses no limit: one that passed meanwhile is made up for, the next one comes in its time."""

    async def scenario() -> None:
        clock = ManualClock()
        async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
            await rig.submit(signal("1"))
            await passes(rig, WARN_S)
            assert await escalated(rig) == 1
            await rig.submit(signal("2"))
        clock.advance(WARN_S)
        async with core(tmp_path, settings=hasty(tmp_path), clock=clock) as rig:
            await passes(rig, 0)
            assert (await escalated(rig, 1), await escalated(rig, 2)) == (2, 1)
            await passes(rig, MAX_S - WARN_S)
            assert (await escalated(rig, 1), await escalated(rig, 2)) == (2, 2)

    run(scenario())


def test_escalation_needs_no_disk(tmp_path: Path) -> None:
    """While the journal has failed alarms are still put before a supervisor, and that is written later."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.submit(signal("1"))
            await rig.sync()
            rig.journal.failing = True
            assert (await rig.submit(signal("2"))).verdicts is None
            await passes(rig, WARN_S)
            assert await escalated(rig) == 1
            assert rig.counters.escalations == 1
            await rig.healed()
            await rig.sync()
            assert rig.read("SELECT escalated FROM alarms") == [{"escalated": 1}]

    run(scenario())


def test_an_operator_may_escalate(tmp_path: Path) -> None:
    """Whoever works an alarm can ask for a supervisor, with a reason that is kept; it stays in its hands."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
            await rig.ask("queue.claim", alarm=1)
            result: dict[str, Any] = await rig.ask("queue.escalate", ANA, alarm=1, why="door locked")
            assert (result["escalated"], result["operator"], result["state"]) == (1, "ana", "claimed")
            assert rig.counters.escalations == 1
            (entry,) = rig.read("SELECT actor, detail FROM audit WHERE action = 'escalate'")
            assert entry == {"actor": "ana", "detail": '{"why":"door locked"}'}

    run(scenario())


def test_other_limits_count_for_the_next_alarm(tmp_path: Path) -> None:
    """A reload changes the limits of alarms to come."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            slow = small(tmp_path, queue={"t3_warn_s": 100.0, "t3_max_s": 200.0})
            rig.escalation.use(slow.queue)
            await rig.submit(signal("1")._replace(event=Event(Kind.FALL, Phase.NEW, "102", "ADM-CID")))
            await passes(rig, 99)
            assert rig.counters.escalations == 0

    run(scenario())


def test_a_stop_forgets_the_limits(tmp_path: Path) -> None:
    """A receiver that is stopping puts nothing before anybody."""

    async def scenario() -> None:
        async with core(tmp_path, settings=hasty(tmp_path)) as rig:
            await rig.submit(signal("1"))
            rig.escalation.stop()
            await passes(rig, 2 * MAX_S)
            assert rig.counters.escalations == 0

    run(scenario())
