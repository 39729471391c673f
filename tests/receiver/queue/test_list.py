"""The open alarms that a caller is shown, one alarm in full, and the end of a watcher's list of open alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import ANA, BERTA, SARA, Core, core, signal
from vetlla.domain.accounts import Account
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from pathlib import Path


async def full_queue(rig: Core) -> None:
    """Open five alarms: operators hold three of them, and one is of an account on test."""
    await rig.ask("queue.test", SARA, account="9999", seconds=60, reason="installer on site")
    for number in ("1111", "222A", "9999"):
        await rig.submit(signal(number))
    for number in ("3333", "4444"):
        await rig.submit(signal(number, "302", kind=Kind.BATTERY_LOW))
    await rig.ask("queue.claim", ANA, alarm=1)
    await rig.ask("queue.answer", ANA, alarm=4)
    await rig.ask("queue.claim", BERTA, alarm=2)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [1, 2, 4, 5]),
        ({"on_test": True}, [3]),
        ({"mine": True}, [1, 4]),
        ({"priorities": ["TECHNICAL"]}, [4, 5]),
        ({"priorities": ["LIFE", "TECHNICAL"]}, [1, 2, 4, 5]),
        ({"states": ["claimed"]}, [1, 2]),
        ({"states": ["waiting", "answered"], "priorities": ["TECHNICAL"]}, [4, 5]),
        ({"home": "h1"}, [1]),
        ({"account": "222a"}, [2]),
        ({"mine": True, "states": ["answered"]}, [4]),
        ({"home": "H2"}, []),
    ],
)
async def test_a_caller_is_shown_the_alarms_that_it_asks_for(
    tmp_path: Path, wanted: dict[str, Any], numbers: list[int]
) -> None:
    """The list holds the alarms that meet all conditions, in the order of work."""
    async with core(tmp_path, accounts=[Account(account="1111", home="H1"), Account(account="9999")]) as rig:
        await full_queue(rig)
        assert [alarm["id"] for alarm in await rig.listed(ANA, **wanted)] == numbers


async def test_an_operator_no_longer_holds_an_alarm_whose_claim_lapsed(tmp_path: Path) -> None:
    """The states are the present ones."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        await rig.ask("queue.claim", ANA, alarm=1)
        assert len(await rig.listed(ANA, mine=True)) == 1
        rig.clock.advance(61)
        assert await rig.listed(ANA, mine=True) == []
        assert len(await rig.listed(ANA, states=["waiting"])) == 1


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"priorities": ["HIGH"]}, "'priorities' has an entry that should be one of the words 'LIFE'"),
        ({"priorities": "LIFE"}, "'priorities' should be a list"),
        ({"states": [1]}, "'states' has an entry that should be one of the words 'waiting'"),
        ({"states": 7}, "'states' should be a list"),
    ],
)
async def test_an_unknown_word_is_refused(tmp_path: Path, wanted: dict[str, Any], why: str) -> None:
    """A misspelt word must not look like an empty queue."""
    async with core(tmp_path) as rig:
        with pytest.raises(UsageError, match=why):
            await rig.ask("queue.list", ANA, **wanted)


async def test_one_alarm_is_shown_with_its_clocks(tmp_path: Path) -> None:
    """An open alarm is shown in its present state, on test or not; a closed one is no longer on the desk."""
    async with core(tmp_path, accounts=[Account(account="9999")]) as rig:
        await full_queue(rig)
        rig.clock.advance(5)
        shown = await rig.ask("queue.show", BERTA, alarm=2)
        assert (shown["id"], shown["state"], shown["operator"], shown["t3_s"]) == (2, "claimed", "berta", 5)
        assert (await rig.ask("queue.show", BERTA, alarm=3))["on_test"] is True
        await rig.ask("queue.close", BERTA, alarm=2, outcome="other")
        with pytest.raises(UsageError, match="no open alarm 2"):
            await rig.ask("queue.show", BERTA, alarm=2)


async def test_a_watcher_knows_where_the_open_alarms_end(tmp_path: Path) -> None:
    """After the open alarms comes one line with their number, if the watcher asked for it."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        await rig.submit(signal("2"))
        for asked, expected in (({"listed": True}, ["open", "open", "listed"]), ({}, ["open", "open"])):
            events = rig.watch(ANA, **asked)
            heard = [await anext(events) for _ in expected]
            assert [event["event"] for event in heard] == expected
            assert heard[0]["alarm"]["id"] == 1
            await events.aclose()
