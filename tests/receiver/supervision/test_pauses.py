"""Supervision with a real journal: devices that are not supervised, and the reasons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import core, small
from tests.rigs.watched import (
    DAY_S,
    HOME,
    INTERVAL_S,
    LOST_AFTER_S,
    beat,
    state,
    wait,
    why,
)
from vetlla.domain.accounts import Account
from vetlla.domain.devices import DeviceType, Place
from vetlla.domain.supervision import Expected, Terminal
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.supervision.pauses import Order
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("inventory", "reason"),
    [
        (Expected({}, {}, {"H-1"}), Pause.SUSPENDED),
        (Expected({"1234": Terminal(DeviceType.TERMINAL_IP, Place.WAREHOUSE)}, {}, ()), Pause.WAREHOUSE),
    ],
    ids=["suspended", "warehouse"],
)
async def test_a_device_that_the_registry_pauses_is_not_supervised(
    tmp_path: Path, inventory: Expected, reason: Pause
) -> None:
    """Silence during such a pause does not count; after it the device has a whole interval again."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        await rig.register(inventory)
        await wait(rig, 10 * INTERVAL_S)
        assert (state(rig), await why(rig)) == (Health.NOT_SUPERVISED, [])
        assert Pause(rig.supervision.fleet.pause[0]) == reason
        await rig.register()
        await wait(rig, LOST_AFTER_S - 10)
        assert state(rig) is Health.LATE
        await wait(rig, 10)
        assert state(rig) is Health.LOST


async def test_the_type_of_a_terminal_says_how_often(tmp_path: Path) -> None:
    """The type gives the interval if the account has none; without both the device is not supervised."""
    settings = small(tmp_path, supervision={"intervals_s": {DeviceType.TERMINAL_PSTN: 7 * DAY_S}})
    inventory = Expected({"1": Terminal(DeviceType.TERMINAL_PSTN, Place.HOME)}, {}, ())
    async with core(tmp_path, settings=settings, accounts=[Account(account="1"), Account(account="2")]) as rig:
        await rig.register(inventory)
        assert list(rig.supervision.fleet.interval_s) == [7 * DAY_S, 0]
        await wait(rig, 21 * DAY_S + 6)
        assert (state(rig, "1"), state(rig, "2")) == (Health.LOST, Health.NOT_SUPERVISED)


async def test_an_account_that_was_removed_is_no_longer_supervised(tmp_path: Path) -> None:
    """A removed account is not supervised; it is supervised again once it is put back."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await wait(rig, LOST_AFTER_S)
        assert len(await why(rig)) == 1
        book, rig.book = rig.book, type(rig.book)()
        await rig.register()
        await wait(rig, 1)
        assert (state(rig), await why(rig)) == (Health.NOT_SUPERVISED, [])
        rig.book = book
        await rig.register()
        assert state(rig) is Health.UNKNOWN


async def test_an_ordered_pause_ends_by_itself(tmp_path: Path) -> None:
    """A pause for works in a building is durable; at its end the device is supervised again."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        until_us = rig.clock.now().utc_us + 3_600_000_000
        order = Order("enric", "works", until_us)
        rig.commit.perform(Operation(lambda batch: rig.supervision.pause([0], order, batch), lambda *_: None))
        await rig.sync()
        assert [row["reason"] for row in rig.read("SELECT reason FROM pauses")] == ["works"]
        await wait(rig, 3_599)
        assert state(rig) is Health.NOT_SUPERVISED
        await wait(rig, 1)
        assert state(rig) is Health.UNKNOWN
        assert rig.read("SELECT * FROM pauses") == []


async def test_the_alarm_of_a_loss_that_is_paused_says_so(tmp_path: Path) -> None:
    """The device was not heard again, so the alarm gives the pause as the reason of its end."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await wait(rig, LOST_AFTER_S)
        await rig.register(Expected({}, {}, {"H-1"}))
        await wait(rig, 1)
        assert await rig.open_alarms() == []
        (row,) = rig.read("SELECT detail FROM audit WHERE action = 'close'")
        assert "heard again" not in row["detail"]
        assert "suspended" in row["detail"]


@pytest.mark.parametrize("first_s", [600, 7_200])
async def test_a_pause_that_is_ordered_again_has_one_end(tmp_path: Path, first_s: int) -> None:
    """A longer or shorter second order sets the end, whatever the wall clock does meanwhile."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        for seconds in (first_s, 3_600):
            order = Order("enric", "works", rig.clock.now().utc_us + seconds * 1_000_000)
            rig.commit.perform(Operation(partial(rig.supervision.pause, [0], order), lambda *_: None))
            await rig.sync()
        rig.clock.step_wall(-300)
        await wait(rig, 3_599)
        assert state(rig) is Health.NOT_SUPERVISED
        await wait(rig, 1)
        assert state(rig) is Health.UNKNOWN
