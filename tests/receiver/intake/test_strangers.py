"""Strangers: none of them takes over a home's alarm, and a crowd of them does not hide a home."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import Core, core, signal
from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import DUPLICATE, STORED, Kind
from vetlla.receiver.control.messages.base import PAGE_MAX
from vetlla.receiver.wiring import Bounds
from vetlla.service.queue.strangers import OPEN_MAX, PER_NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.signals import Verdict

HOME = Account(account="1234", home="H1")


async def flood(rig: Core, peers: Iterable[str]) -> None:
    """Send a press of a stranger from each of these addresses, each time under another account."""
    told = [rig.submit(signal(f"9{number:05}"), arrival=rig.arrival(peer)) for number, peer in enumerate(peers)]
    assert all(one.verdicts for one in await asyncio.gather(*told))


async def test_a_stranger_with_the_name_of_a_home_stays_apart(tmp_path: Path) -> None:
    """The home's press opens an alarm of its own, which starts with that press and is of a known account."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(signal("H1"))
        rig.clock.advance(600)
        await rig.submit(signal("1234"))
        home, stranger = await rig.open_alarms()
        assert (home["id"], home["account"], home["unknown_account"], home["signals"]) == (2, "1234", False, 1)
        assert home["why"].startswith("personal_emergency")
        assert home["chained_to"] is None
        assert home["age_s"] == 0
        assert (stranger["id"], stranger["unknown_account"]) == (1, True)


@pytest.mark.parametrize("closed_before", [False, True])
async def test_a_stranger_makes_no_repetition_of_a_home_s_emergency(tmp_path: Path, *, closed_before: bool) -> None:
    """A home's event that is marked as reported before opens an alarm, even if a stranger has used the home's name."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(signal("H1"))
        if closed_before:
            await rig.ask("queue.answer", alarm=1)
            await rig.ask("queue.close", alarm=1, outcome="false_alarm")
        await rig.submit(signal("1234", repeated=True))
        assert (await rig.open_alarms())[0]["account"] == "1234"


@pytest.mark.parametrize(("text", "verdict", "signals"), [("kitchen", STORED, 2), ("", DUPLICATE, 1)])
async def test_an_account_that_was_registered_since_is_no_longer_unknown(
    tmp_path: Path, text: str, verdict: Verdict, signals: int
) -> None:
    """The alarm of an unregistered terminal becomes its home's alarm with the next report, even with a retry."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1234", identity=b"1"))
        rig.book = AccountBook([HOME])
        await rig.register()
        rig.intake.apply(rig.settings, rig.book)
        rig.clock.advance(10)
        told = await rig.submit(signal("1234", identity=b"1", text=text))  # the same call, maybe with more
        assert told.verdicts == [verdict]
        (alarm,) = await rig.open_alarms()
        assert (alarm["home"], alarm["unknown_account"], alarm["signals"]) == ("H1", False, signals)
        assert not alarm["why"].startswith("unknown")
        await rig.submit(signal("1234", "110", kind=Kind.SMOKE))
        (alarm,) = await rig.open_alarms()
        assert alarm["signals"] == signals + 1
        assert rig.flaws() == []


async def test_a_retry_of_an_account_that_was_registered_since_is_a_call_of_its_home(tmp_path: Path) -> None:
    """An installer registers the terminal between two presses; the second one must not stay among the strangers."""
    press = signal("7777", identity=b"0001", sequence="0001")
    async with core(tmp_path) as rig:
        await flood(rig, ["198.51.100.7:1"] * PER_NETWORK)
        there = rig.arrival("198.51.100.7:1")
        await rig.submit(press, arrival=there)
        crowd = (await rig.open_alarms())[-1]["id"]
        rig.intake.apply(rig.settings, AccountBook([Account(account="7777", home="H7")]))
        assert (await rig.submit(press, arrival=there)).verdicts == [STORED]
        first = (await rig.open_alarms())[0]
        assert (first["home"], first["unknown_account"], first["id"] > crowd) == ("H7", False, True)
        assert rig.flaws() == []


async def test_homes_come_before_strangers(tmp_path: Path) -> None:
    """This applies within a priority; a more urgent stranger still comes first."""
    async with core(tmp_path, accounts=[HOME, Account(account="1235")]) as rig:
        await rig.submit(signal("9999"))
        rig.clock.advance(1)
        await rig.submit(signal("1235", "302", kind=Kind.BATTERY_LOW))
        await rig.submit(signal("1234"))
        assert [alarm["account"] for alarm in await rig.open_alarms()] == ["1234", "9999", "1235"]
        assert (await rig.ask("queue.claim"))["account"] == "1234"


async def test_a_crowd_of_one_network_shares_an_alarm(tmp_path: Path) -> None:
    """The first ones have an alarm each; every report of the others is stored, and they share one alarm."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await flood(rig, [f"198.51.100.{number % 250}:1" for number in range(PER_NETWORK + 500)])
        await rig.submit(signal("1234"))
        alarms = await rig.open_alarms()
        assert len(alarms) == 1 + PER_NETWORK + 1
        assert alarms[0]["account"] == "1234"
        shared = alarms[-1]
        assert (shared["home"], shared["signals"]) == ("callers of 198.51.100.0/24", 500)
        assert (shared["runaway"], shared["unknown_account"], shared["priority"]) == (True, True, "LIFE")
        assert "one of many unknown callers of 198.51.100.0/24" in shared["why"]
        (row,) = rig.read("SELECT count(*) AS n, count(alarm_id) AS m FROM signals")
        assert row == {"n": PER_NETWORK + 501, "m": PER_NETWORK + 501}


async def test_an_alarm_of_a_crowd_opens_again_after_it_was_closed(tmp_path: Path) -> None:
    """The next caller may be a user, so an alarm that an operator has closed does not hide that call."""
    async with core(tmp_path) as rig:
        await flood(rig, ["198.51.100.7:1"] * (PER_NETWORK + 2))
        shared = (await rig.open_alarms())[-1]["id"]
        await rig.ask("queue.answer", alarm=shared)
        await rig.ask("queue.close", alarm=shared, outcome="false_alarm")
        await rig.submit(signal("777777"), arrival=rig.arrival("198.51.100.9:1"))
        last = (await rig.open_alarms())[-1]
        assert (last["home"], last["state"]) == ("callers of 198.51.100.0/24", "waiting")


async def test_a_crowd_of_many_networks_opens_a_bounded_number_of_alarms(tmp_path: Path) -> None:
    """Sources of datagrams can be forged; the first page shows the home first and gives the total number."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await flood(rig, [f"198.18.{number >> 8}.{number & 255}:1" for number in range(0, 256 * 120, 12)])
        await rig.submit(signal("1234"))
        page = await rig.ask("queue.list")
        assert page["total"] == 1 + OPEN_MAX + 1
        assert page["alarms"][0]["account"] == "1234"
        assert len(page["alarms"]) == PAGE_MAX
        numbers = [alarm["id"] for alarm in page["alarms"]]
        while page["next"] is not None:
            page = await rig.ask("queue.list", after=page["next"])
            numbers += [alarm["id"] for alarm in page["alarms"]]
        assert len(numbers) == len(set(numbers)) == 1 + OPEN_MAX + 1


async def test_a_page_is_bounded(tmp_path: Path) -> None:
    """A request for a larger page, or for a page after an invalid place, is refused."""
    async with core(tmp_path) as rig:
        for wrong in ({"limit": PAGE_MAX + 1}, {"limit": 0}, {"after": [1, 2]}, {"after": "x"}):
            with pytest.raises(UsageError):
                await rig.ask("queue.list", **wrong)


async def test_homes_are_decided_on_before_strangers(tmp_path: Path) -> None:
    """A flood of strangers is bounded and delays no home; reports that are not taken must be repeated."""
    bounds = Bounds(strangers_share=10, strangers_waiting=50)
    async with core(tmp_path, accounts=[HOME], bounds=bounds) as rig:
        rig.journal.gate.clear()
        first = rig.submit(signal("9999"))
        await rig.held()
        crowd = [rig.submit(signal(f"8{number:03}")) for number in range(60)]
        home = rig.submit(signal("1234"))
        assert rig.intake.waiting == 51
        assert [told.done() for told in crowd] == [False] * 50 + [True] * 10
        assert [(await told).verdicts for told in crowd[50:]] == [None] * 10
        rig.journal.gate.set()
        assert (await home).verdicts == [STORED]
        assert sum(told.done() for told in crowd) <= 20  # those in the home's batch
        await asyncio.gather(first, *crowd)
        assert rig.intake.waiting == 0
        assert len(rig.read("SELECT id FROM signals")) == 52
