"""The requests that operators, supervisors and engineers may make to the queue, and the answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import ANA, BERTA, SARA, Core, core, signal, small
from tests.rigs.messages import EXAMPLES, request_of, texts_of
from vetlla.domain.accounts import Account
from vetlla.domain.alarms import AlarmOutcome, Cause
from vetlla.domain.errors import AccessError, UsageError
from vetlla.domain.signals import Kind, Priority
from vetlla.receiver.control.messages.base import TEXT_MAX
from vetlla.receiver.control.messages.queue import NAME_MAX, NOTE_MAX, TEST_MAX_S
from vetlla.store.journal.audit_comparison import text_digest

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.receiver.control.roles import Caller

CARLA = ANA._replace(operator="carla")
ENGINEER = ANA._replace(operator="enric", engineer=True)


async def refused(rig: Core, do: str, caller: Any = ANA, **arguments: object) -> str:  # noqa: ANN401 - a Caller
    """Return why a request was refused."""
    with pytest.raises((UsageError, AccessError)) as refusal:
        await rig.ask(do, caller, **arguments)
    return str(refusal.value)


async def test_an_alarm_from_claim_to_close(tmp_path: Path) -> None:
    """It is claimed, answered, noted, handed over and closed; each answer has its state, the audit has each step."""
    async with core(tmp_path, accounts=[Account(account="1234", home="H1")]) as rig:
        await rig.submit(signal(), arrival=rig.arrival(seconds_ago=1))
        rig.clock.advance(3)
        claimed = await rig.ask("queue.claim", alarm=1)
        assert (claimed["state"], claimed["operator"], claimed["lease_s"]) == ("claimed", "ana", 60)
        rig.clock.advance(4)
        answered = await rig.ask("queue.answer", alarm=1)
        assert (answered["state"], answered["t3_s"], answered["t2_s"]) == ("answered", 7, 1)
        rig.clock.advance(5)
        noted = await rig.ask("queue.note", alarm=1, text="wants her daughter")
        assert (noted["t3_s"], noted["age_s"], noted["lease_s"]) == (7, 13, 60)
        given = await rig.ask("queue.handover", alarm=1, to="berta")
        assert (given["operator"], given["state"]) == ("berta", "answered")
        closed = await rig.ask("queue.close", BERTA, alarm=1, outcome="contact_went")
        assert (closed["state"], closed["outcome"], closed["signals"]) == ("closed", "contact_went", 1)
        assert closed["closed"] > closed["answered"] > closed["claimed"] > closed["ready"]
        assert await rig.open_alarms() == []
        audit = [
            (row["actor"], row["action"], row["detail"])
            for row in rig.read("SELECT actor, action, detail FROM audit WHERE actor <> 'receiver' ORDER BY id")
        ]
        assert audit == [
            ("ana", "claim", "{}"),
            ("ana", "answer", "{}"),
            ("ana", "note", f'{{"sha256":"{text_digest("wants her daughter")}"}}'),
            ("ana", "hand over", '{"to":"berta"}'),
            ("berta", "close", '{"outcome":"contact_went","t2_us":1000000,"t3_us":7000000}'),
        ]
        (row,) = rig.read("SELECT state, outcome, operator, t2_us, t3_us FROM alarms")
        assert row == {
            "state": "closed",
            "outcome": "contact_went",
            "operator": "berta",
            "t2_us": 1_000_000,
            "t3_us": 7_000_000,
        }
        assert rig.flaws() == []


async def test_the_next_alarm_is_the_first_that_waits(tmp_path: Path) -> None:
    """Without a number the request claims the most urgent alarm that no operator holds, never one on test."""
    async with core(tmp_path, accounts=[Account(account="5")]) as rig:
        await rig.ask("queue.test", SARA, account="5", seconds=60, reason="")
        await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
        await rig.submit(signal("2", "154", kind=Kind.FLOOD))
        await rig.submit(signal("5"))
        await rig.submit(signal("3"))
        assert [(await rig.ask("queue.claim", one))["account"] for one in (ANA, BERTA, CARLA)] == ["3", "2", "1"]
        assert "nothing is waiting" in await refused(rig, "queue.claim", SARA)


async def test_the_next_alarm_is_the_one_that_is_held_unanswered(tmp_path: Path) -> None:
    """An operator who asks twice gets the same alarm, because a second one would wait while they hold the first."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        rig.clock.advance(10)
        await rig.submit(signal("2"))
        taken = await rig.ask("queue.claim")
        assert (taken["id"], taken["detail"]) == (1, {})
        rig.clock.advance(50)
        again = await rig.ask("queue.claim")
        assert (again["id"], again["detail"], again["lease_s"]) == (1, {"held": True}, 60)
        rig.clock.advance(59)
        assert (await rig.ask("queue.claim", BERTA))["id"] == 2
        await rig.ask("queue.answer", alarm=1)
        assert "nothing is waiting" in await refused(rig, "queue.claim")
        (entry,) = rig.read("SELECT detail FROM audit WHERE detail LIKE '%held%'")
        assert entry == {"detail": '{"held":true}'}


async def test_a_more_urgent_call_goes_before_the_held_alarm(tmp_path: Path) -> None:
    """An operator who holds a low battery gets the more urgent call; the claim of the battery lapses by itself."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
        await rig.ask("queue.claim")
        await rig.submit(signal("2"))
        assert (await rig.ask("queue.claim"))["account"] == "2"
        assert (await rig.ask("queue.claim"))["account"] == "2"
        rig.clock.advance(60)
        assert (await rig.ask("queue.claim", BERTA))["account"] == "2"
        assert (await rig.ask("queue.claim", CARLA))["account"] == "1"


async def test_each_step_says_what_it_did(tmp_path: Path) -> None:
    """The answer gives the actor, the action and the time; watchers receive the same with the alarm."""
    async with core(tmp_path, accounts=[Account(account="77")]) as rig:
        await rig.submit(signal())
        events = rig.watch(BERTA)
        standing = await anext(events)
        assert (standing["event"], standing["at"]) == ("open", "2026-01-01T00:00:00.000000Z")
        steps: list[tuple[str, Caller, dict[str, object], str, dict[str, object]]] = [
            ("claim", ANA, {}, "claimed", {}),
            ("claim", SARA, {"force": True}, "claimed", {"from": "ana"}),
            ("answer", SARA, {}, "answered", {}),
            ("note", BERTA, {"text": " has the keys "}, "noted", {"text": "has the keys"}),
            ("escalate", SARA, {"why": "no keys"}, "escalated", {"why": "no keys"}),
            ("handover", SARA, {"to": " berta\n"}, "handed_over", {"to": "berta"}),
            ("handover", SARA, {"to": "ana", "force": True}, "handed_over", {"from": "berta", "to": "ana"}),
            ("close", ANA, {"outcome": "contact_went"}, "closed", {"outcome": "contact_went"}),
        ]
        for seconds, (do, caller, arguments, event, detail) in enumerate(steps, 1):
            rig.clock.advance(1)
            answer = await rig.ask(f"queue.{do}", caller, alarm=1, **arguments)
            told = await anext(events)
            action = do.replace("handover", "hand over")
            for said in (answer, told):
                assert (said["actor"], said["action"], said["detail"]) == (caller.operator, action, detail)
                assert said["at"] == f"2026-01-01T00:00:0{seconds}.000000Z"
            assert told["event"] == event
            assert told["alarm"].items() <= answer.items()
        await events.aclose()


async def test_watchers_receive_tests(tmp_path: Path) -> None:
    """All watchers see that an account's alarms leave the list."""
    async with core(tmp_path, accounts=[Account(account="77")]) as rig:
        await rig.submit(signal())
        events = rig.watch(BERTA)
        await anext(events)
        await rig.ask("queue.test", SARA, account=" 77 ", seconds=60, reason="installer")
        assert await anext(events) == {
            "event": "test",
            "at": "2026-01-01T00:00:00.000000Z",
            "actor": "sara",
            "action": "test",
            "detail": {"until": "2026-01-01T00:01:00.000000Z", "reason": "installer"},
            "account": "77",
            "receiver": "",
            "line": "",
        }
        await events.aclose()


async def test_only_supervisors_can_force(tmp_path: Path) -> None:
    """A supervisor needs ``force``; another operator is refused even with it."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        await rig.ask("queue.claim", alarm=1)
        assert "held by ana" in await refused(rig, "queue.claim", BERTA, alarm=1, force=True)
        assert "held by ana" in await refused(rig, "queue.claim", SARA, alarm=1)
        assert (await rig.ask("queue.claim", SARA, alarm=1, force=True))["operator"] == "sara"
        assert "held by sara" in await refused(rig, "queue.close", alarm=1, outcome="other")


@pytest.mark.parametrize(
    ("do", "arguments", "why"),
    [
        ("queue.answer", {}, "'alarm' is missing"),
        ("queue.answer", {"alarm": "1"}, "'alarm' should be a whole number"),
        ("queue.answer", {"alarm": True}, "'alarm' should be a whole number"),
        ("queue.answer", {"alarm": 10**30}, "no open alarm"),
        ("queue.note", {"alarm": 1}, "'text' is missing"),
        ("queue.note", {"alarm": 1, "text": "  "}, "'text' should be a text"),
        ("queue.note", {"alarm": 1, "text": "x" * (NOTE_MAX + 1)}, f"'text' holds at most {NOTE_MAX} characters"),
        ("queue.handover", {"alarm": 1, "to": ["berta"]}, "'to' should be a text"),
        ("queue.handover", {"alarm": 1}, "'to' is missing"),
        ("queue.handover", {"alarm": 1, "to": " \t\n"}, "'to' should be a text"),
        ("queue.handover", {"alarm": 1, "to": "x" * (NAME_MAX + 1)}, f"'to' holds at most {NAME_MAX} characters"),
        ("queue.handover", {"alarm": 1, "to": "dolors"}, "this machine has no user 'dolors'"),
        ("queue.escalate", {"alarm": 1, "why": 7}, "'why' should be a text"),
        ("queue.escalate", {"alarm": 1, "why": "x" * (TEXT_MAX + 1)}, f"'why' holds at most {TEXT_MAX} characters"),
        ("queue.test", {"account": "1", "seconds": 1, "reason": 7}, "'reason' should be a text"),
        ("queue.close", {"alarm": 1}, "closed with an outcome"),
        ("queue.close", {"alarm": 1, "outcome": "fixed"}, "closed with an outcome"),
        ("queue.close", {"alarm": 1, "outcome": 7}, "closed with an outcome"),
        ("queue.test", {"account": "1", "seconds": -1}, "0 ends it"),
        ("queue.test", {"account": "1", "seconds": TEST_MAX_S + 1}, "0 ends it"),
        ("queue.answer", {"alarm": 1, "alarms": 2}, "'alarms' is no argument of this request"),
        ("queue.test", {"account": "1", "seconds": 1.5}, "'seconds' should be a whole number"),
        ("queue.test", {"account": "", "seconds": 1}, "'account' should be a text"),
    ],
)
async def test_wrong_arguments_are_refused(tmp_path: Path, do: str, arguments: dict[str, object], why: str) -> None:
    """A request whose arguments are missing, of another kind or out of bounds changes nothing."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        await rig.ask("queue.claim", SARA, alarm=1)
        assert why in await refused(rig, do, SARA, **arguments)
        written = rig.read("SELECT action FROM audit WHERE actor <> 'receiver'")
        assert written == [{"action": "claim"}]


LONG = "x" * 60_000


@pytest.mark.parametrize("do", EXAMPLES)
async def test_every_text_has_a_bound(tmp_path: Path, do: str) -> None:
    """Every request refuses an argument of 60,000 characters and gives the bound; nothing is written."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        for name in texts_of(do):
            if do in rig.routes:
                told = await refused(rig, do, SARA, **EXAMPLES[do] | {name: LONG})
            else:
                with pytest.raises(UsageError) as refusal:
                    request_of(do, **EXAMPLES[do] | {name: LONG})
                told = str(refusal.value)
            assert re.match(rf"'{name}' holds at most \d+ characters", told)
        stored = rig.read("SELECT max(length(detail)) AS longest FROM audit")
        assert stored[0]["longest"] < TEXT_MAX


@pytest.mark.parametrize("outcome", AlarmOutcome)
async def test_every_outcome_can_be_given(tmp_path: Path, outcome: AlarmOutcome) -> None:
    """Every outcome of the telecare service is accepted."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        await rig.ask("queue.claim", alarm=1)
        assert (await rig.ask("queue.close", alarm=1, outcome=outcome.value))["outcome"] == outcome
        assert rig.flaws() == []


async def test_tests_are_for_engineers_and_supervisors(tmp_path: Path) -> None:
    """Other users cannot hide a home's alarms; the list gives the person, the end and the reason of a test."""
    async with core(
        tmp_path, settings=small(tmp_path, control={"engineers": "installers"}), accounts=[Account(account="1234")]
    ) as rig:
        assert "usermod -aG installers" in await refused(rig, "queue.test", account="1", seconds=60)
        told = await rig.ask("queue.test", ENGINEER, account="1234", seconds=TEST_MAX_S, reason="new terminal")
        assert told == {
            "account": "1234",
            "receiver": "",
            "line": "",
            "home": "",
            "until": "2026-01-08T00:00:00.000000Z",
            "operator": "enric",
            "reason": "new terminal",
            "closed": [],
            "durable": True,
        }
        (listed,) = await rig.ask("queue.tests")
        assert listed == {
            "account": "1234",
            "receiver": "",
            "line": "",
            "since": "2026-01-01T00:00:00.000000Z",
            "until": "2026-01-08T00:00:00.000000Z",
            "operator": "enric",
            "reason": "new terminal",
        }
        (entry,) = rig.read("SELECT actor, subject, detail FROM audit WHERE action = 'test'")
        assert entry["actor"] == "enric"
        assert entry["subject"] == "account 1234"
        assert '"reason":"new terminal"' in entry["detail"]
        assert (await rig.ask("queue.test", SARA, account="1234", seconds=0, reason=""))["until"] is None


async def test_t3_is_counted_when_it_ends(tmp_path: Path) -> None:
    """Each answer is one observation under the alarm's priority; an account on test does not count."""
    async with core(tmp_path, accounts=[Account(account="3")]) as rig:
        await rig.ask("queue.test", SARA, account="3", seconds=60, reason="")
        for account in ("2", "3"):
            await rig.submit(signal(account))
        rig.clock.advance(12)
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.answer", alarm=2)
        histogram = rig.counters.t3[Priority.TECHNICAL], rig.counters.t3[Priority.LIFE]
        assert [one.count for one in histogram] == [0, 1]
        assert rig.counters.t3[Priority.LIFE].sum_us == 12_000_000
        assert "was answered by ana" in await refused(rig, "queue.answer", BERTA, alarm=1)
        assert rig.counters.t3[Priority.LIFE].count == 1


async def test_t3_is_counted_for_every_communication(tmp_path: Path) -> None:
    """Each report of an alarm has waited since it was ready; one that comes while the operator speaks has not."""
    async with core(tmp_path, settings=small(tmp_path, queue={"t3_warn_s": 15.0, "t3_max_s": 30.0})) as rig:
        await rig.submit(signal())
        rig.clock.advance(10)
        await rig.submit(signal(), signal("1234", "602", kind=Kind.PERIODIC_TEST))
        rig.clock.advance(22)
        t3 = rig.counters.t3[Priority.LIFE]
        assert t3.count == 0
        await rig.ask("queue.answer", alarm=1)
        assert (t3.count, t3.sum_us) == (3, (32 + 22 + 22) * 1_000_000)
        assert (rig.counters.t3_slow[Priority.LIFE], rig.counters.t3_breaches[Priority.LIFE]) == (3, 1)
        rig.clock.advance(5)
        await rig.submit(signal())
        assert (t3.count, t3.sum_us) == (4, 76_000_000)


async def test_routine_reports_are_answered_by_the_receiver(tmp_path: Path) -> None:
    """They have no alarm and wait for no operator, so they count as ROUTINE; those on test do not count."""
    async with core(tmp_path, accounts=[Account(account="1"), Account(account="2")]) as rig:
        await rig.ask("queue.test", SARA, account="2", seconds=60, reason="")
        for account in ("1", "2"):
            await rig.submit(signal(account, "602", kind=Kind.PERIODIC_TEST))
        assert [rig.counters.t3[one].count for one in Priority] == [0, 0, 0, 1]
        assert rig.counters.t3[Priority.ROUTINE].sum_us == 0


async def test_an_alarm_closed_without_an_answer_has_waited_until_then(tmp_path: Path) -> None:
    """The time that an alarm waited counts even if it is closed without an answer."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        rig.clock.advance(40)
        closed = await rig.ask("queue.close", SARA, alarm=1, outcome="other", force=True)
        assert (closed["t3_s"], closed["answered"]) == (40, None)
        assert rig.counters.t3[Priority.LIFE].sum_us == 40_000_000
        assert rig.counters.t3_breaches[Priority.LIFE] == 1
        assert rig.read("SELECT t3_us FROM alarms") == [{"t3_us": 40_000_000}]
        assert rig.flaws() == []


async def test_t3_continues_after_a_restart(tmp_path: Path) -> None:
    """Reports of a waiting alarm count when it is answered; reports of an answered alarm do not count again."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        await rig.submit(signal("2"), signal("2"))
        await rig.ask("queue.answer", alarm=1)
        clock = rig.clock
    clock.advance(12)
    async with core(tmp_path, clock=clock) as rig:
        assert sum(one.count for one in rig.counters.t3.values()) == 0
        await rig.ask("queue.answer", alarm=2)
        t3 = rig.counters.t3[Priority.TECHNICAL]
        assert (t3.count, t3.sum_us) == (0, 0)
        t3 = rig.counters.t3[Priority.LIFE]
        assert (t3.count, t3.sum_us) == (2, 24_000_000)


async def test_the_answer_about_a_lapsed_claim_names_no_holder(tmp_path: Path) -> None:
    """The answer to an escalation of an alarm whose claim has lapsed names no holder."""
    async with core(tmp_path) as rig:
        await rig.submit(signal())
        await rig.ask("queue.claim", alarm=1)
        rig.clock.advance(60)
        told = await rig.ask("queue.escalate", BERTA, alarm=1)
        assert (told["state"], told["operator"], told["lease_s"]) == ("waiting", "", None)


async def test_an_operator_may_have_the_receiver_s_name(tmp_path: Path) -> None:
    """A user of the machine who is called "receiver" asks for a supervisor; their text is not a cause."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        namesake = ANA._replace(operator="receiver")
        told = await rig.ask("queue.escalate", namesake, alarm=1, why="no answer at the door")
        assert (told["escalated"], told["escalated_why"]) == (1, "no answer at the door")
        assert rig.counters.escalations[Priority.LIFE, Cause.ASKED] == 1
