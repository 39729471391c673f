"""Supervision with a real journal: states, alarms, incidents and pauses after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.core import Core, core, signal
from tests.rigs.watched import (
    HOME,
    INTERVAL_S,
    LOST_AFTER_S,
    alive,
    beat,
    fleet_of,
    presence,
    state,
    verdicts,
    wait,
)
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import Event, Kind, Phase
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.supervision.pauses import Order
from vetlla.service.supervision.rules import Health

if TYPE_CHECKING:
    from pathlib import Path


async def test_after_a_restart_every_device_has_one_interval_of_grace(tmp_path: Path) -> None:
    """The receiver cannot know which devices called in between; a lost device stays lost, with the same alarm."""
    async with core(tmp_path, accounts=fleet_of(2)) as rig:
        rig.submit(beat("0000"))
        await wait(rig, INTERVAL_S)
        rig.submit(beat("0000"))
        await wait(rig, LOST_AFTER_S - INTERVAL_S)
        assert (state(rig, "0000"), state(rig, "0001")) == (Health.LATE, Health.LOST)
        await alive(rig)
        clock = rig.clock
    clock.advance(INTERVAL_S * 10)
    async with core(tmp_path, accounts=fleet_of(2), clock=clock) as rig:
        assert (state(rig, "0000"), state(rig, "0001")) == (Health.OK, Health.LOST)
        # Two of its three periods were over; one miss is forgiven, so that two periods are left.
        await wait(rig, LOST_AFTER_S - INTERVAL_S - 10)
        assert state(rig, "0000") is Health.LATE
        assert len(await rig.open_alarms()) == 1
        await wait(rig, 10)
        assert state(rig, "0000") is Health.LOST
        assert len(await rig.open_alarms()) == 2
        rig.submit(beat("0001"))
        await wait(rig, 1)
        assert [alarm["home"] for alarm in await rig.open_alarms()] == ["H0"]


async def test_a_receiver_that_is_restarted_more_often_than_a_device_is_due_notices_its_silence(tmp_path: Path) -> None:
    """With a restart every week, the silences of all runs add up, without the time between the runs."""
    clock, up_s = ManualClock(), 0
    while True:
        async with core(tmp_path, accounts=fleet_of(1), clock=clock) as rig:
            if not up_s:
                await rig.submit(beat("0000"))
            for _ in range(27):
                await wait(rig, 30)
                up_s += 30
                if state(rig, "0000") is Health.LOST:
                    assert (3 + 1) * INTERVAL_S <= up_s <= (3 + 1) * INTERVAL_S + 60
                    assert len(await rig.open_alarms()) == 1
                    return
            await alive(rig)
        clock.advance(INTERVAL_S * 7)


async def test_the_alarm_of_a_ucr_behind_a_lost_terminal_survives_a_restart(tmp_path: Path) -> None:
    """The UCR is lost first, then its terminal. When the next run hears both, no alarm is left."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        for _ in range(4):
            await wait(rig, INTERVAL_S)
            rig.submit(beat())
        assert state(rig, device="U1") is Health.LOST
        await wait(rig, LOST_AFTER_S)
        assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
        clock = rig.clock
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert len(await rig.open_alarms()) == 2
        rig.submit(presence())
        await wait(rig, 1)
        assert (state(rig), state(rig, device="U1")) == (Health.OK, Health.OK)
        assert await rig.open_alarms() == []


async def test_a_crash_loses_no_verdict_and_no_number(tmp_path: Path) -> None:
    """A crash comes before the rows of the fleet are written: the loss is kept, and no device gets another's number."""
    homes = fleet_of(3)
    rig = Core(tmp_path, accounts=homes)
    await rig.register()
    rig.supervision._states.changed_devices.clear()  # as if a crash came before these rows
    rig.clock.advance(INTERVAL_S)
    rig.submit(beat("0000"))
    rig.submit(beat("0001"))
    rig.clock.advance(LOST_AFTER_S - INTERVAL_S)
    rig.supervision.look()
    await rig.sync()
    assert verdicts(rig) == [("0002", "lost", None)]
    assert [row["id"] for row in rig.read("SELECT id FROM units")] == [2]
    rig.crash()
    async with core(tmp_path, accounts=homes, clock=rig.clock) as again:
        assert (state(again, "0000"), state(again, "0002")) == (Health.UNKNOWN, Health.LOST)
        numbers = {again.supervision.fleet.name(number).account: number for number in again.supervision.fleet}
        assert numbers["0002"] == 2
        assert len(await again.open_alarms()) == 1
        await wait(again, LOST_AFTER_S)
        assert len(await again.open_alarms()) == 3


async def test_a_device_that_is_not_expected_keeps_its_number(tmp_path: Path) -> None:
    """The fleet has every device once, after several starts and with new registrations in between."""
    homes = [Account(account=f"N{number}") for number in range(3)]
    clock, names = None, []
    for run in range(3):
        homes.append(Account(account=f"S{run}", interval_s=INTERVAL_S))
        async with core(tmp_path, accounts=homes, clock=clock) as rig:
            await wait(rig, 60)
            names = [account.account for account in rig.supervision.fleet.accounts]
            clock = rig.clock
    assert names == [home.account for home in homes]


async def test_an_incident_continues_after_a_restart(tmp_path: Path) -> None:
    """Devices that are lost later join the incident, and it ends when they are heard again."""
    homes = fleet_of(14, labels=("operator:a",))
    async with core(tmp_path, accounts=homes) as rig:
        for home in homes[:12]:
            rig.submit(beat(home.account))
        rig.clock.advance(INTERVAL_S)
        for home in homes[12:]:
            rig.submit(beat(home.account))
        await wait(rig, LOST_AFTER_S - INTERVAL_S)
        assert len(rig.supervision.open_incidents()) == 1
        await alive(rig)
        clock = rig.clock
    async with core(tmp_path, accounts=homes, clock=clock) as rig:
        (incident,) = rig.supervision.open_incidents()
        assert (len(incident.lost), len(incident.members)) == (12, 12)
        await wait(rig, LOST_AFTER_S)
        assert len(incident.lost) == 14
        for home in homes:
            rig.submit(beat(home.account))
        await wait(rig, 1)
        assert (rig.supervision.open_incidents(), await rig.open_alarms()) == ((), [])


async def test_pauses_continue_after_a_restart(tmp_path: Path) -> None:
    """The home is still away, and the ordered pause still holds until its end."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        left = Event(Kind.CONFIGURATION, Phase.RESTORE, "401", "contact_id")
        await rig.submit(signal()._replace(event=left))
        order = Order("enric", "works", rig.clock.now().utc_us + 3_600_000_000)
        rig.commit.perform(Operation(lambda batch: rig.supervision.pause([0], order, batch), lambda *_: None))
        clock = rig.clock
    clock.advance(600)
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert (state(rig), state(rig, device="U1")) == (Health.NOT_SUPERVISED, Health.NOT_SUPERVISED)
        await wait(rig, 3_000)
        assert (state(rig), state(rig, device="U1")) == (Health.UNKNOWN, Health.NOT_SUPERVISED)
