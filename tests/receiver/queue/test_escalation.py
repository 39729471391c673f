"""A call that waits too long causes a warning, then goes before a supervisor; so does one that its operator left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import ANA, BERTA, SARA, Core, core, signal, small, until
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.domain.alarms import Cause
from vetlla.domain.clock import ManualClock, SystemClock
from vetlla.domain.signals import Event, Kind, Phase, Priority
from vetlla.receiver.queue.escalation import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from vetlla.receiver.control.messages.queue import AlarmFields
    from vetlla.settings.model import Settings

WARN_S, MAX_S, LEASE_S, HOLD_S = 0.02, 0.04, 0.03, 0.1


def hasty(directory: Path, **more: object) -> Settings:
    limits = {"t3_warn_s": WARN_S, "t3_max_s": MAX_S, "lease_s": LEASE_S, "hold_s": HOLD_S, "chain_window_s": 1000.0}
    return small(directory, queue=limits | more)


def battery(account: str = "1") -> Any:  # noqa: ANN401 - a Signal
    return signal(account, "302", kind=Kind.BATTERY_LOW)


async def alarm(rig: Core, number: int = 1) -> AlarmFields:
    await rig.sync()
    return rig.desk.find(number).fields(rig.clock.now())


async def escalated(rig: Core, number: int = 1) -> int:
    times: int = (await alarm(rig, number))["escalated"]
    return times


async def nothing() -> AsyncGenerator[Any, None]:
    """Yield one empty event, so that a watcher that has read it is connected."""
    yield {}


async def passes(rig: Core, seconds: float) -> None:
    """Let time pass, and do everything that is due by then."""
    rig.clock.advance(seconds)
    await rig.fall_due()


def causes(rig: Core) -> dict[str, int]:
    """Return how often alarms went before a supervisor, by cause."""
    found: dict[str, int] = {}
    for (_, cause), times in rig.counters.escalations.items():
        if times:
            found[cause.value] = found.get(cause.value, 0) + times
    return found


# --- a call that waits ------------------------------------------------------------------------------------------------


@each_loop
async def test_an_unanswered_alarm_is_warned_of_then_put_before_a_supervisor(tmp_path: Path) -> None:
    """A warning is no escalation: log, metric, audit, watchers and the alarm itself distinguish the two."""
    async with core(tmp_path, settings=hasty(tmp_path)) as rig:
        events = rig.dispatch.watch(nothing())
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
    """ANS 6 is about all communications: a low battery causes a warning and an escalation like a call, but once."""
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
    """Then they wait without a mark until a call joins them. A claim does not change that; an answer has a hold."""
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


async def test_a_claim_that_lapses_when_all_was_told_is_told_at_once(tmp_path: Path) -> None:
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


async def test_what_is_open_at_the_start_is_followed(tmp_path: Path) -> None:
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


async def test_a_hold_goes_on_over_a_restart(tmp_path: Path) -> None:
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
async def test_after_a_reboot_what_an_operator_held_goes_before_a_supervisor(tmp_path: Path, held: str) -> None:
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


async def test_after_a_reboot_a_call_that_waits_is_told_by_the_wall_clock(tmp_path: Path) -> None:
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


async def test_an_operator_s_words_to_a_supervisor_stay_with_the_alarm(tmp_path: Path) -> None:
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
