"""A call that waits too long causes a warning, then goes before a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import ANA, BERTA, SARA, core, signal, small, until
from tests.rigs.loops import each_loop
from tests.rigs.marks import HOLD_S, LEASE_S, MAX_S, WARN_S, alarm, battery, causes, escalated, hasty, nothing, passes
from vetlla.domain.accounts import Account
from vetlla.domain.alarms import Cause
from vetlla.domain.clock import SystemClock
from vetlla.domain.signals import Event, Kind, Phase, Priority
from vetlla.receiver.queue.escalation import AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path


# --- a call that waits ------------------------------------------------------------------------------------------------


@each_loop
async def test_an_unanswered_alarm_gives_a_warning_and_then_goes_before_a_supervisor(tmp_path: Path) -> None:
    """A warning is no escalation: log, metric, audit, watchers and the alarm itself distinguish the two."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        events = rig.watchers.watch(nothing())
        await anext(events)
        await rig.submit(signal("1"))
        await passes(rig, WARN_S - 0.001)
        assert (await alarm(rig))["warned"] is None
        with capture_logs() as log:
            await passes(rig, 0.001)
            warned = await alarm(rig)
            assert (warned["escalated"], warned["overdue"]) == (0, None)
            assert warned["warned"] == "2026-01-01T00:00:00.020000Z"
            await passes(rig, MAX_S - WARN_S)
            late = await alarm(rig)
        assert (late["escalated"], late["overdue"]) == (1, "2026-01-01T00:00:00.040000Z")
        assert (late["escalated_by"], late["escalated_why"]) == ("receiver", "unanswered")
        assert [(line["event"], line["alarm"], line["t3_s"]) for line in log] == [
            ("alarm.warned", 1, WARN_S),
            ("alarm.escalated", 1, MAX_S),
        ]
        assert rig.counters.warnings[Priority.LIFE] == 1
        assert causes(rig) == {"unanswered": 1}
        done = rig.read("SELECT action, detail FROM audit WHERE action IN ('warn', 'escalate') ORDER BY id")
        assert [(row["action"], row["detail"]) for row in done] == [
            ("warn", "{}"),
            ("escalate", '{"why":"unanswered"}'),
        ]
        told: list[Any] = [await anext(events) for _ in range(4)]
        assert [(event["event"], event["actor"], event["action"]) for event in told] == [
            ("signal", "receiver", "store"),
            ("alarm", "receiver", "open"),
            ("warned", "receiver", "warn"),
            ("escalated", "receiver", "escalate"),
        ]
        assert told[3]["detail"] == {"why": "unanswered"}
        assert told[3]["at"] == late["overdue"]
        await events.aclose()


@each_loop
async def test_the_timer_is_the_loop_s_own(tmp_path: Path) -> None:
    """The receiver checks by itself when a mark comes, and only then: for the first alarm and for later ones."""
    async with core(tmp_path, settings=hasty(tmp_path, hold_s=60.0), clock=SystemClock()) as rig:
        await rig.submit(signal("1"))
        await rig.submit(signal("2"))
        await until(lambda: causes(rig) == {"unanswered": 2})
        assert rig.counters.warnings[Priority.LIFE] == 2


async def test_a_call_that_still_waits_goes_before_a_supervisor_again(tmp_path: Path) -> None:
    """The supervisor may be away, too, so each hold time in which no operator acts escalates again."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await passes(rig, WARN_S)
        await passes(rig, MAX_S - WARN_S)
        for times in (2, 3):
            await passes(rig, HOLD_S)
            assert await escalated(rig) == times
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, HOLD_S - 0.001)
        assert await escalated(rig) == 3


@pytest.mark.parametrize(("done", "how"), [("answer", {}), ("close", {"outcome": "other"}), ("claim", {})])
async def test_only_an_answer_stops_the_clock(tmp_path: Path, done: str, how: dict[str, str]) -> None:
    """An alarm that was answered or closed is left alone; one that is only claimed is not: t3 ends with the answer."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.ask(f"queue.{done}", SARA, alarm=1, force=True, **how)
        await passes(rig, MAX_S)
        assert causes(rig) == ({"unanswered": 1} if done == "claim" else {})


async def test_every_communication_has_the_limits_of_t3(tmp_path: Path) -> None:
    """ANS 6 is about all communications: a low battery causes a warning and an escalation as a call does, but once."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(battery())
        await passes(rig, WARN_S)
        assert rig.counters.warnings[Priority.TECHNICAL] == 1
        await passes(rig, MAX_S - WARN_S)
        assert await escalated(rig) == 1
        await passes(rig, 10 * HOLD_S)
        assert await escalated(rig) == 1
        assert (await alarm(rig))["due_s"] is None


async def test_a_service_may_leave_technical_alarms_out(tmp_path: Path) -> None:
    """They then wait without a mark until a call joins them. A claim changes nothing; an answer starts the hold."""
    settings = hasty(tmp_path, t3_priorities=("LIFE", "HOME_RISK"))
    async with core(tmp_path, settings=settings) as rig:
        await rig.submit(battery())
        await passes(rig, 10 * MAX_S)
        await rig.ask("queue.claim", alarm=1)
        await passes(rig, 10 * MAX_S)
        assert await escalated(rig) == 0
        await rig.submit(signal("1"))
        await passes(rig, WARN_S)
        await passes(rig, MAX_S - WARN_S)
        assert await escalated(rig) == 1
        await rig.submit(battery("2"))
        await rig.ask("queue.answer", alarm=2)
        await passes(rig, HOLD_S)
        assert await escalated(rig, 2) == 1


async def test_accounts_on_test_are_left_alone(tmp_path: Path) -> None:
    """No user waits during an installer's test, neither for an answer nor for the end of a call."""
    async with core(tmp_path, settings=hasty(tmp_path), accounts=[Account(account="2")]) as rig:
        await rig.ask("queue.test", SARA, account="2", seconds=60, reason="")
        await rig.submit(signal("2"))
        await passes(rig, MAX_S)
        await rig.ask("queue.answer", alarm=1)
        await passes(rig, 2 * HOLD_S)
        assert causes(rig) == {}


async def test_an_alarm_that_became_urgent_is_followed_from_then_on(tmp_path: Path) -> None:
    """The limits of a lifted alarm run from the signal that lifted it, even if it was escalated before."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(battery())
        await passes(rig, 500)
        assert await escalated(rig) == 1
        await rig.submit(signal("1"))
        assert (await alarm(rig))["warned"] is None
        await passes(rig, WARN_S)
        assert (await alarm(rig))["warned"] is not None
        assert await escalated(rig) == 1
        await passes(rig, MAX_S - WARN_S)
        assert await escalated(rig) == 2


async def test_a_claim_that_lapses_after_both_limits_is_escalated_at_once(tmp_path: Path) -> None:
    """A supervisor expects the operator who claimed it to answer, so they must know when that claim lapses."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        for account, said in (("1", signal("1")), ("2", battery("2"))):
            assert said.id.account == account
            await rig.submit(said)
        await passes(rig, WARN_S)
        await passes(rig, MAX_S - WARN_S)
        assert causes(rig) == {"unanswered": 2}
        await rig.ask("queue.claim", alarm=1)
        await rig.ask("queue.claim", BERTA, alarm=2)
        await passes(rig, LEASE_S - 0.001)
        assert causes(rig) == {"unanswered": 2}
        await rig.ask("queue.note", alarm=1, text="dialling")
        await passes(rig, 0.001)
        assert causes(rig) == {"unanswered": 2, "claim_lapsed": 1}
        assert (await alarm(rig, 2))["state"] == "waiting"
        await passes(rig, LEASE_S)
        assert causes(rig) == {"unanswered": 2, "claim_lapsed": 2}


# --- the disk, an operator's words, settings --------------------------------------------------------------------------


async def test_escalation_needs_no_disk(tmp_path: Path) -> None:
    """While the journal has failed, alarms are still put before a supervisor; the record is written later."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        await rig.sync()
        rig.journal.failing = True
        assert (await rig.submit(signal("2"))).verdicts is None
        await passes(rig, WARN_S)
        await passes(rig, MAX_S - WARN_S)
        assert await escalated(rig) == 1
        assert causes(rig) == {"unanswered": 1}
        await rig.healed()
        await rig.sync()
        assert rig.read("SELECT escalated FROM alarms") == [{"escalated": 1}]


async def test_the_reason_that_an_operator_gives_a_supervisor_stays_with_the_alarm(tmp_path: Path) -> None:
    """They are kept, shown and sent to watchers; a later escalation by the receiver does not replace them."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(battery())
        events = rig.watch(SARA)
        await anext(events)
        await rig.ask("queue.claim", alarm=1)
        result = await rig.ask("queue.escalate", ANA, alarm=1, why="  no answer, door locked ")
        assert (result["escalated"], result["operator"], result["state"]) == (1, "ana", "claimed")
        assert (result["action"], result["detail"]) == ("escalate", {"why": "no answer, door locked"})
        told = [await anext(events) for _ in range(2)][1]
        assert (told["event"], told["actor"], told["detail"]) == ("escalated", "ana", result["detail"])
        assert told["at"] == "2026-01-01T00:00:00.000000Z"
        (entry,) = rig.read("SELECT actor, detail FROM audit WHERE action = 'escalate'")
        assert entry == {"actor": "ana", "detail": '{"why":"no answer, door locked"}'}
        assert rig.counters.escalations[Priority.TECHNICAL, Cause.ASKED] == 1
        await passes(rig, MAX_S)
        (listed,) = await rig.open_alarms()
        assert listed["escalated"] == 2
        assert (listed["escalated_by"], listed["escalated_why"]) == ("ana", "no answer, door locked")
        assert listed["escalated_at"] == told["at"]
        await events.aclose()
    async with core(tmp_path, settings=hasty(tmp_path), clock=rig.clock) as rig:
        assert (await rig.open_alarms())[0]["escalated_why"] == "no answer, door locked"


async def test_other_limits_count_for_the_next_alarm(tmp_path: Path) -> None:
    """A reload changes the limits of later alarms."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        slow = small(tmp_path, queue={"t3_warn_s": 100.0, "t3_max_s": 200.0})
        rig.desk.apply(slow, rig.book)
        await rig.submit(signal("1")._replace(event=Event(Kind.FALL, Phase.NEW, "102", "ADM-CID")))
        await passes(rig, 99)
        assert (await alarm(rig))["warned"] is None


async def test_many_that_fall_due_at_once_leave_room_for_frames(tmp_path: Path) -> None:
    """One turn of the loop handles a bounded number; all the others follow, and no alarm is left out."""
    many = 2 * AT_ONCE + 1
    homes = [Account(account=f"{number}") for number in range(many)]
    async with core(tmp_path, settings=hasty(tmp_path), accounts=homes) as rig:
        await rig.submit(*[battery(f"{number}") for number in range(many)])
        await rig.sync()
        rig.clock.advance(WARN_S)
        rig.escalation.look()
        assert len(rig.commit._operations) == AT_ONCE
        await passes(rig, 0)
        assert rig.counters.warnings[Priority.TECHNICAL] == many


async def test_a_stop_forgets_the_marks(tmp_path: Path) -> None:
    """A receiver that is stopping puts nothing before a supervisor."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        await rig.submit(signal("1"))
        rig.escalation.stop()
        await passes(rig, 2 * MAX_S)
        assert causes(rig) == {}
