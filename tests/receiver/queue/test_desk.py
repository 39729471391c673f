"""What frames and operators do to the queue, in examples that are clearer than the state machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import ANA, BERTA, SARA, core, signal, small
from tests.rigs.desk_homes import HOME, battery, handle, say, stored
from vetlla.domain.accounts import Account
from vetlla.domain.alarms import State
from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Event, Flag, Kind, Phase, Priority
from vetlla.receiver.queue import lengths

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from vetlla.domain.signals import Signal


def restored(said: Signal) -> Signal:
    return said._replace(event=said.event._replace(phase=Phase.RESTORE))


# --- one home ---------------------------------------------------------------------------------------------------------


async def test_a_home_s_signals_gather_in_one_alarm(tmp_path: Path) -> None:
    """Within the chaining window a home's signals join its open alarm, by whatever account; another home's do not."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"chain_window_s": 100.0})) as rig:
        await say(rig, battery("1111"), battery("1112"), battery("2222"), restored(battery("1111")))
        rig.clock.advance(100)
        await say(rig, battery("1111"))
        rig.clock.advance(101)
        await say(rig, battery("1111"))
        alarms = await rig.open_alarms()
        assert [(alarm["home"], alarm["signals"], alarm["chained_to"]) for alarm in alarms] == [
            ("H1", 4, None),
            ("H2", 1, None),
            ("H1", 1, None),
        ]


async def test_routine_signals_do_not_keep_an_alarm_fresh(tmp_path: Path) -> None:
    """The chaining window runs from the last signal that is not routine; a restore joins but does not lengthen it."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"chain_window_s": 100.0})) as rig:
        await say(rig, battery())
        rig.clock.advance(90)
        await say(rig, restored(battery()))
        rig.clock.advance(20)
        await say(rig, battery())
        assert [alarm["signals"] for alarm in await rig.open_alarms()] == [2, 1]


async def test_routine_signals_open_nothing(tmp_path: Path) -> None:
    """Without an open alarm a routine signal is only stored."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, restored(battery()), signal("1111", "602", kind=Kind.PERIODIC_TEST))
        assert await rig.open_alarms() == []
        assert [row["alarm_id"] for row in stored(rig)] == [None, None]


async def test_a_more_urgent_signal_lifts_the_alarm(tmp_path: Path) -> None:
    """An alarm takes the priority, kind and reason of the most urgent signal, never of a less urgent one."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery(), signal("1112", "102", kind=Kind.FALL, device="7"), battery())
        (alarm,) = await rig.open_alarms()
        assert (alarm["priority"], alarm["kind"], alarm["why"]) == ("LIFE", "fall", "fall 102 from 7")
        assert alarm["signals"] == 3
        details = rig.read("SELECT detail FROM audit WHERE action = 'lift'")
        assert details == [{"detail": '{"to":"LIFE","signal":2}'}]


async def test_a_stored_report_is_put_before_an_operator_with_its_age(tmp_path: Path) -> None:
    """An alarm from a device's memory shows its age until a current signal joins it; then it shows that signal."""
    async with core(tmp_path, accounts=HOME) as rig:
        then = to_datetime(rig.clock.now().utc_us - 18_000 * SECOND_US)
        await say(rig, signal("1111", buffered=True, occurred_at=then))
        (old,) = await rig.open_alarms()
        assert old["why"] == "personal_emergency 101 from 1; happened 5 h 0 min before it came, by its clock"
        await say(rig, signal("1111", "102", kind=Kind.FALL), signal("1111", buffered=True, occurred_at=then))
        (now,) = await rig.open_alarms()
        assert (now["id"], now["kind"], now["why"]) == (old["id"], "fall", "fall 102 from 1")


async def test_an_answered_alarm_hides_nothing_more_urgent(tmp_path: Path) -> None:
    """While an operator speaks with a home about a battery, its emergency is an alarm of its own, chained to that."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery())
        await rig.ask("queue.answer", alarm=1)
        await say(rig, battery(), signal("1111"))
        first, second = await rig.open_alarms()
        assert (first["id"], first["chained_to"], first["state"]) == (2, 1, "waiting")
        assert (second["id"], second["signals"]) == (1, 2)
        assert first["established"] == second["established"]


async def test_an_answered_alarm_of_an_inactive_operator_takes_no_signal(tmp_path: Path) -> None:
    """The same signal joins only while the operator is active; otherwise it waits for an operator as a new alarm."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        await say(rig, battery())
        await rig.ask("queue.answer", alarm=1)
        rig.clock.advance(60)
        await say(rig, battery())
        assert [(alarm["id"], alarm["state"]) for alarm in await rig.open_alarms()] == [
            (1, "answered"),
            (2, "waiting"),
        ]


async def test_the_clock_of_a_chain_starts_with_its_first_call(tmp_path: Path) -> None:
    """A chained alarm inherits the start of the first communication and its place by age; it has a t2 of its own."""
    async with core(tmp_path, accounts=HOME) as rig:
        await rig.submit(battery(), arrival=rig.arrival(seconds_ago=2))
        await rig.ask("queue.answer", alarm=1)
        rig.clock.advance(10)
        await rig.submit(battery("2222"), arrival=rig.arrival(seconds_ago=1))
        rig.clock.advance(60)
        await rig.submit(battery(), arrival=rig.arrival(seconds_ago=3))
        alarms = await rig.open_alarms()
        assert [(alarm["id"], alarm["age_s"], alarm["t2_s"]) for alarm in alarms] == [
            (1, 72, 2),
            (3, 72, 3),
            (2, 61, 1),
        ]


async def test_when_the_newer_alarm_is_closed_the_older_is_joined_again(tmp_path: Path) -> None:
    """A home whose second alarm is closed still has its first."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery())
        await rig.ask("queue.answer", alarm=1)
        await say(rig, signal("1111"))
        await handle(rig, 2)
        await say(rig, battery(), signal("1111"))
        alarms = await rig.open_alarms()
        assert [(alarm["id"], alarm["chained_to"], alarm["signals"]) for alarm in alarms] == [
            (3, 1, 1),
            (1, None, 2),
        ]


# --- the clock of an emergency ----------------------------------------------------------------------------------------


def began(alarm: dict[str, Any]) -> tuple[object, object]:
    """Return what an alarm continues, and how old its emergency is."""
    return alarm["chained_to"], alarm["age_s"]


@pytest.mark.parametrize("outcome", ["false_alarm", "handled_by_voice", "help_sent", "other"])
async def test_the_clock_of_an_emergency_survives_a_closed_alarm(tmp_path: Path, outcome: str) -> None:
    """A user who calls again after the alarm was closed has waited since the first call, whatever the outcome was."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"chain_window_s": 100.0})) as rig:
        await rig.submit(signal("1111"), arrival=rig.arrival(seconds_ago=2))
        rig.clock.advance(300)
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.close", alarm=1, outcome=outcome)
        rig.clock.advance(100)
        await say(rig, signal("1112"), signal("2222"))
        mine, other = await rig.open_alarms()
        assert (began(mine), mine["t3_s"]) == ((1, 402), 0)
        assert began(other) == (None, 0)
        await handle(rig, 2)
        rig.clock.advance(50)
        await say(rig, signal("1111", "102", kind=Kind.FALL))
        assert began((await rig.open_alarms())[0]) == (2, 452)


async def test_the_clock_of_an_emergency_ends_with_the_chaining_window(tmp_path: Path) -> None:
    """A later call is another emergency; the window runs from the moment at which the last alarm was closed."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"chain_window_s": 100.0})) as rig:
        await say(rig, signal("1111"))
        rig.clock.advance(50)
        await handle(rig, 1)
        rig.clock.advance(100.001)
        await say(rig, signal("1111"))
        assert began((await rig.open_alarms())[0]) == (None, 0)


async def test_an_emergency_lasts_while_its_alarm_is_open(tmp_path: Path) -> None:
    """Help is on its way for an hour; a press after the chaining window is an alarm of its own with the same clock."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"chain_window_s": 100.0})) as rig:
        await say(rig, signal("1111"))
        await rig.ask("queue.answer", alarm=1)
        rig.clock.advance(3_600)
        await say(rig, battery("1111"), signal("1111"))
        first, second = await rig.open_alarms()
        assert (first["id"], second["id"], began(second)) == (1, 2, (1, 3600))


async def test_a_low_battery_that_was_closed_starts_no_clock(tmp_path: Path) -> None:
    """Only a call for which help is sent is an emergency."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery("1111"))
        await handle(rig, 1)
        rig.clock.advance(50)
        await say(rig, signal("1111"))
        assert began((await rig.open_alarms())[0]) == (None, 0)


async def test_a_test_s_emergency_is_not_the_home_s(tmp_path: Path) -> None:
    """An alarm of an installer's test that was closed does not make a call look older."""
    async with core(tmp_path, accounts=HOME) as rig:
        await rig.ask("queue.test", SARA, account="1111", seconds=60, reason="installer on site")
        await say(rig, signal("1111"))
        await handle(rig, 1)
        rig.clock.advance(60)
        await say(rig, signal("1111"))
        assert began((await rig.open_alarms())[0]) == (None, 0)


@pytest.mark.parametrize("step", [0, 5_000, -5_000])
async def test_the_clock_of_an_emergency_survives_a_restart(tmp_path: Path, step: int) -> None:
    """Closed emergencies are read back; a wall clock that is set while the receiver runs changes nothing."""
    settings = small(tmp_path, queue={"chain_window_s": 100.0})
    async with core(tmp_path, accounts=HOME, settings=settings) as rig:
        await say(rig, signal("1111"))
        rig.clock.advance(20)
        await handle(rig, 1)
        clock = rig.clock
    clock.advance(40)
    async with core(tmp_path, accounts=HOME, settings=settings, clock=clock) as rig:
        clock.step_wall(step)
        clock.advance(60)
        await say(rig, signal("1111"))
        (alarm,) = await rig.open_alarms()
        assert alarm["chained_to"] == 1
        assert alarm["established"] == "2026-01-01T00:00:00.000000Z"
        await handle(rig, 2)
        clock.advance(101)
        await say(rig, signal("1111"))
        assert began((await rig.open_alarms())[0]) == (None, 0)


async def test_accounts_on_test_stand_apart(tmp_path: Path) -> None:
    """An account on test opens alarms of its own, joins none of the home's others, and replaces none of them."""
    async with core(tmp_path, accounts=HOME) as rig:
        await rig.ask("queue.test", SARA, account="1112", seconds=60, reason="installer on site")
        await say(rig, battery("1111"), signal("1112"), battery("1111"), signal("1112"))
        (real,), (test,) = await rig.open_alarms(), await rig.listed(on_test=True)
        assert (real["id"], real["priority"], real["signals"]) == (1, "TECHNICAL", 2)
        assert (test["id"], test["priority"], test["signals"]) == (2, "LIFE", 2)
        assert [bool(row["flags"] & Flag.ON_TEST) for row in stored(rig)] == [False, True, False, True]
        assert lengths.counts(rig.desk.alarms(), rig.clock.now()) == {(State.WAITING, Priority.TECHNICAL): 1}
        rig.clock.advance(60)
        await say(rig, signal("1112"))
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]
        assert (await rig.listed(on_test=True))[0]["signals"] == 2


async def test_tests_end_by_themselves_and_survive_a_restart(tmp_path: Path) -> None:
    """A test ends at its exact instant, and a restart neither ends nor lengthens it; case does not matter."""
    accounts = [Account(account="ABcd")]
    async with core(tmp_path, accounts=accounts) as rig:
        await rig.ask("queue.test", SARA, account="aBcD", seconds=60, reason="")
        clock = rig.clock
    clock.advance(59)
    async with core(tmp_path, accounts=accounts, clock=clock) as rig:
        assert [test["account"] for test in await rig.ask("queue.tests")] == ["ABcd"]
        await say(rig, signal("ABCD"))
        clock.advance(1)
        assert await rig.ask("queue.tests") == []
        await say(rig, signal("ABCD"))
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2]
        await rig.ask("queue.test", SARA, account="ABCD", seconds=60, reason="")
        await rig.ask("queue.test", SARA, account="abcd", seconds=0, reason="done")
        assert await rig.ask("queue.tests") == []
    assert rig.read("SELECT account FROM on_test") == []


# --- operators --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("busy", [False, True])
async def test_one_of_two_operators_who_claim_at_once_gets_the_alarm(tmp_path: Path, *, busy: bool) -> None:
    """Before a batch and in the middle of one, the first operator gets the alarm; the second is told who has it."""
    async with core(tmp_path) as rig:
        await say(rig, signal("1"))
        if busy:
            rig.journal.gate.clear()
            rig.submit(signal("2"))
            await rig.held()
        claims = [asyncio.ensure_future(rig.ask("queue.claim", one, alarm=1)) for one in (ANA, BERTA)]
        await asyncio.sleep(0)
        rig.journal.gate.set()
        won, lost = await asyncio.gather(*claims, return_exceptions=True)
        assert isinstance(won, dict)
        assert won["operator"] == "ana"
        assert isinstance(lost, UsageError)
        assert "alarm 1 is held by ana" in str(lost)


async def test_a_lapsed_claim_waits_at_its_old_place(tmp_path: Path) -> None:
    """The order is priority, then age; a claim that is made or lapses does not change it."""
    async with core(tmp_path, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        for account in ("1", "2", "3"):
            await say(rig, signal(account))
            rig.clock.advance(1)
        await rig.ask("queue.claim", alarm=1)
        assert (await rig.ask("queue.claim", BERTA))["id"] == 2
        rig.clock.advance(60)
        assert [(alarm["id"], alarm["state"]) for alarm in await rig.open_alarms()] == [
            (1, "waiting"),
            (2, "waiting"),
            (3, "waiting"),
        ]
        assert (await rig.ask("queue.claim", BERTA))["id"] == 1


async def test_a_note_shows_that_the_operator_is_active(tmp_path: Path) -> None:
    """The holder's note renews the lease; another operator's note is accepted, and does not give them the alarm."""
    async with core(tmp_path, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        await say(rig, signal())
        await rig.ask("queue.claim", alarm=1)
        rig.clock.advance(50)
        await rig.ask("queue.note", alarm=1, text="calling")
        await rig.ask("queue.note", BERTA, alarm=1, text="I know the daughter")
        rig.clock.advance(59)
        assert [(alarm["operator"], alarm["lease_s"]) for alarm in await rig.open_alarms()] == [("ana", 1)]
        rig.clock.advance(1)
        note = await rig.ask("queue.note", alarm=1, text="too late")
        assert (note["state"], note["operator"]) == ("waiting", "")
        texts = [row["text"] for row in rig.read("SELECT text FROM notes ORDER BY id")]
        assert texts == ["calling", "I know the daughter", "too late"]


async def test_a_restart_in_the_same_boot_keeps_leases_and_clocks(tmp_path: Path) -> None:
    """The monotonic clock goes on: an operator keeps the alarm that they held, and t3 runs from its old start."""
    async with core(tmp_path, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        await say(rig, signal("1"), signal("2"))
        await rig.ask("queue.claim", alarm=1)
        clock = rig.clock
    clock.advance(20)
    clock.step_wall(3_600)
    async with core(tmp_path, clock=clock, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        first, second = await rig.open_alarms()
        assert (first["operator"], first["lease_s"], first["t3_s"]) == ("ana", 40, 20)
        assert (second["state"], second["t3_s"]) == ("waiting", 20)


# --- reading ----------------------------------------------------------------------------------------------------------


async def test_the_reason_for_an_alarms_place_is_readable(tmp_path: Path) -> None:
    """The reason is readable text: kind, code, device and what else is known."""
    async with core(tmp_path, accounts=HOME) as rig:
        status = Event(Kind.SMOKE, Phase.STATUS, "111", "ADM-CID")
        unknown = Event(Kind.UNKNOWN, Phase.NEW, "9xx", "ADM-CID")
        await say(rig, signal("1111")._replace(event=status))
        await say(rig, signal("2222", device="")._replace(event=unknown))
        await say(rig, signal("9999", repeated=True))
        assert [alarm["why"] for alarm in await rig.open_alarms()] == [
            "smoke 111 from 1 (status)",
            "unknown account: personal_emergency 101 from 1 (reported before)",
            "unknown code 9xx",
        ]


async def test_counts_and_the_longest_wait(tmp_path: Path) -> None:
    """Open alarms count by their present state, and only alarms that are waiting count for the longest wait."""
    async with core(tmp_path, accounts=HOME, settings=small(tmp_path, queue={"lease_s": 60.0})) as rig:
        await say(rig, signal("1111"))
        rig.clock.advance(5)
        await say(rig, signal("2222"), battery("9999"))
        await rig.ask("queue.claim", alarm=1)
        rig.clock.advance(5)
        now = rig.clock.now()
        assert lengths.counts(rig.desk.alarms(), now) == {
            (State.CLAIMED, Priority.LIFE): 1,
            (State.WAITING, Priority.LIFE): 1,
            (State.WAITING, Priority.TECHNICAL): 1,
        }
        assert lengths.oldest_waiting_s(rig.desk.alarms(), now) == {Priority.LIFE: 5, Priority.TECHNICAL: 5}
        rig.clock.advance(60)
        assert lengths.oldest_waiting_s(rig.desk.alarms(), rig.clock.now())[Priority.LIFE] == 70


async def test_an_alarm_is_not_shown_before_it_is_durable(tmp_path: Path) -> None:
    """Operators see no alarm that could still be rolled back."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        told = rig.submit(signal())
        await rig.held()
        assert await rig.open_alarms() == []
        rig.journal.gate.set()
        await told
        assert len(await rig.open_alarms()) == 1
