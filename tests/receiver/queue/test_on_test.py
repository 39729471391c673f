"""Accounts on test: a test covers only the account that it names, and hides no emergency for long."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import ANA, SARA, Core, core, signal, small
from vetlla.domain.accounts import Account
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Kind, Priority
from vetlla.receiver.queue import lengths
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.model import Settings

HERE, THERE = Account(account="1234", receiver="1"), Account(account="1234", receiver="2")
HOME = Account(account="12ab", home="H1")
EVERYWHERE, OTHER = Account(account="1234"), Account(account="1234", receiver="3", home="H3")
UNSEEN_S = 100.0
TEST_S = 3_600


def press(account: Account) -> Any:  # noqa: ANN401 - a Signal
    return signal(account.account, id=AccountId(account.receiver, "0", account.account))


def whose(account: Account) -> dict[str, str]:
    return {"account": account.account, "receiver": account.receiver, "line": account.line}


def settings(directory: Path) -> Settings:
    return small(directory, queue={"test_unseen_s": UNSEEN_S})


async def begin(rig: Core, account: Account = HOME, seconds: int = TEST_S) -> dict[str, Any]:
    named = {"account": account.account, "receiver": account.receiver or None}
    done: dict[str, Any] = await rig.ask("queue.test", SARA, **named, seconds=seconds, reason="installer on site")
    return done


def forget_boot(directory: Path) -> None:
    """Make the journal look as if the machine was restarted meanwhile."""
    with closing(sqlite3.connect(directory / JOURNAL)) as connection, connection:
        connection.execute("UPDATE boots SET boot = 'another'")


async def passes(rig: Core, seconds: float) -> None:
    rig.clock.advance(seconds)
    await rig.fall_due()


async def test_a_test_silences_no_other_home_with_the_same_number(tmp_path: Path) -> None:
    """Accounts 1234 behind receivers 1 and 2 are two homes; the second one's call is in the queue."""
    async with core(tmp_path, accounts=[HERE, THERE]) as rig:
        done = await begin(rig, HERE)
        assert (done["account"], done["receiver"]) == ("1234", "1")
        await rig.submit(press(HERE))
        await rig.submit(press(THERE))
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["home"]) == (2, "2/0/1234")
        assert (await rig.ask("queue.claim"))["id"] == 2


async def test_an_ambiguous_account_is_refused_with_the_choices(tmp_path: Path) -> None:
    """The error tells the engineer how to name each of the homes, and no account is on test."""
    async with core(tmp_path, accounts=[HERE, THERE]) as rig:
        with pytest.raises(UsageError) as refused:
            await rig.ask("queue.test", SARA, account="1234", seconds=60)
        assert "names 2 homes" in str(refused.value)
        assert refused.value.remedy == "name one: --receiver '1' --line ''; --receiver '2' --line ''"
        assert await rig.ask("queue.tests") == []


async def test_only_a_registered_account_can_be_on_test(tmp_path: Path) -> None:
    """Otherwise a stranger could choose an account that is on test, and its calls would be hidden."""
    async with core(tmp_path, accounts=[HERE]) as rig:
        for named in ({"account": "9999"}, {"account": "1234", "receiver": "3"}):
            with pytest.raises(UsageError, match="is not registered"):
                await rig.ask("queue.test", SARA, **named, seconds=60)
        await begin(rig, HERE)
        await rig.submit(signal("1234", id=AccountId("7", "0", "1234")))  # the same number, from a stranger
        (alarm,) = await rig.open_alarms()
        assert alarm["unknown_account"]


async def test_a_test_is_ended_in_any_case_of_its_digits(tmp_path: Path) -> None:
    """Engineers and panels write the hexadecimal digits of an account in both cases."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await begin(rig)
        await rig.ask("queue.test", SARA, account="12AB", seconds=0)
        assert await rig.ask("queue.tests") == []
        with pytest.raises(UsageError, match="is not on test"):
            await rig.ask("queue.test", SARA, account="12ab", seconds=0)


@pytest.mark.parametrize(("test_s", "marked_s"), [(TEST_S, UNSEEN_S), (60, 60)])
async def test_an_emergency_that_no_person_closed_leaves_the_test(tmp_path: Path, test_s: int, marked_s: float) -> None:
    """It is counted while it is shown apart. After its time or the test's end it is put before a supervisor."""
    async with core(tmp_path, accounts=[HOME], settings=settings(tmp_path)) as rig:
        await begin(rig, seconds=test_s)
        await rig.submit(press(HOME))
        assert await rig.open_alarms() == []
        assert lengths.on_test(rig.desk.alarms()) == {Priority.LIFE: 1}
        await passes(rig, marked_s - 1)
        assert await rig.open_alarms() == []
        await passes(rig, 1)
        (alarm,) = await rig.open_alarms()
        assert (alarm["on_test"], alarm["escalated"], alarm["escalated_why"]) == (False, 1, "on_test")
        assert lengths.on_test(rig.desk.alarms()) == {}
        assert (await rig.ask("queue.claim"))["id"] == 1
        assert rig.flaws() == []


async def test_a_less_urgent_report_stays_apart_until_an_emergency_joins_it(tmp_path: Path) -> None:
    """A low battery during a test is not put before a supervisor; it is when a press joins it."""
    async with core(tmp_path, accounts=[HOME], settings=settings(tmp_path)) as rig:
        await begin(rig)
        await rig.submit(signal("12ab", "302", kind=Kind.BATTERY_LOW))
        await passes(rig, 2 * UNSEEN_S)
        assert await rig.open_alarms() == []
        await rig.submit(press(HOME))
        await passes(rig, UNSEEN_S - 1)
        assert await rig.open_alarms() == []
        await passes(rig, 1)
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["priority"]) == (1, "LIFE")


async def test_an_installer_who_is_still_there_renews_or_ends_the_test(tmp_path: Path) -> None:
    """If the test is ordered again, its time starts again. If it is ended, its calls are closed."""
    async with core(tmp_path, accounts=[HOME, THERE], settings=settings(tmp_path)) as rig:
        await begin(rig)
        await begin(rig, THERE)
        await rig.submit(press(HOME))
        await rig.submit(press(THERE))
        await passes(rig, UNSEEN_S - 1)
        await begin(rig)
        await passes(rig, UNSEEN_S - 1)
        (alarm,) = await rig.open_alarms()
        assert alarm["account"] == "1234"  # the other test was not renewed
        done = await rig.ask("queue.test", SARA, account="12ab", seconds=0, reason="done")
        assert done["closed"] == [1]
        assert await rig.listed(on_test=True) == []
        (row,) = rig.read("SELECT outcome, t3_us, on_test FROM alarms WHERE id = 1")
        assert row == {"outcome": "test", "t3_us": None, "on_test": 1}
        assert rig.flaws() == []


@pytest.mark.parametrize("account", [THERE, EVERYWHERE], ids=["a receiver's", "any receiver's"])
async def test_the_end_of_a_test_closes_the_calls_of_its_account_alone(tmp_path: Path, account: Account) -> None:
    """The accounts share a number and have different homes or none; each test closes only its own account's calls."""
    accounts = [account, OTHER]
    async with core(tmp_path, accounts=accounts, settings=settings(tmp_path)) as rig:
        for one in accounts:
            await rig.ask("queue.test", SARA, **whose(one), seconds=TEST_S, reason="installer on site")
            await rig.submit(press(one))
        for number, one in enumerate(accounts, 1):
            done = await rig.ask("queue.test", SARA, **whose(one), seconds=0, reason="done")
            assert done["closed"] == [number]
        assert await rig.listed(on_test=True) == []


@pytest.mark.parametrize("step_s", [-3 * 86_400, 0, 7_200])
async def test_a_stepped_wall_clock_makes_no_test_longer(tmp_path: Path, step_s: int) -> None:
    """A test of 60 s lasts 60 s, whatever the wall clock does meanwhile, and over a restart of the receiver."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        clock = rig.clock
        await begin(rig, seconds=60)
        clock.step_wall(step_s)
        clock.advance(30)
        await rig.submit(press(HOME))
        assert await rig.open_alarms() == []
        await rig.ask("queue.close", SARA, alarm=1, outcome="test", force=True)
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert len(await rig.ask("queue.tests")) == 1
        clock.advance(31)
        assert await rig.ask("queue.tests") == []
        await rig.submit(press(HOME))
        assert len(await rig.open_alarms()) == 1


@pytest.mark.parametrize("step_s", [-3 * 86_400, 0])
async def test_a_test_lasts_no_longer_over_a_restart_of_the_machine(tmp_path: Path, step_s: int) -> None:
    """The wall clock gives its remaining time, which is never longer than the test that was ordered."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        clock = rig.clock
        await begin(rig, seconds=60)
        await rig.sync()
    forget_boot(tmp_path)
    clock.step_wall(step_s)
    clock.advance(10)
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert len(await rig.ask("queue.tests")) == 1
        clock.advance(61)
        assert await rig.ask("queue.tests") == []


@pytest.mark.parametrize("is_stamped", [True, False])
async def test_an_open_emergency_of_a_test_is_due_after_a_restart_of_the_machine(
    tmp_path: Path, *, is_stamped: bool
) -> None:
    """Its mark was lost with the restart, and the installer may have left; a power cut may also lose its stamp."""
    rig = Core(tmp_path, accounts=[HOME])
    clock = rig.clock
    await rig.register()
    await begin(rig)
    await rig.submit(press(HOME))
    if is_stamped:
        await rig.close()
    else:
        rig.crash()
    forget_boot(tmp_path)
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        await rig.fall_due()
        (alarm,) = await rig.open_alarms()
        assert (alarm["on_test"], alarm["escalated_why"]) == (False, "on_test")
        assert (await rig.ask("queue.answer", ANA, alarm=1))["state"] == "answered"
