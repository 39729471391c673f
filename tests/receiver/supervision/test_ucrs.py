"""Supervision with a real journal: UCRs, which are heard through their terminals."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import core, signal, small, until
from tests.rigs.watched import (
    HOME,
    INTERVAL_S,
    LOST_AFTER_S,
    beat,
    presence,
    state,
    verdicts,
    wait,
    why,
)
from vetlla.domain.devices import DeviceType, Place
from vetlla.domain.signals import Event, Kind, Phase
from vetlla.domain.supervision import Expected, Terminal, Ucr
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.supervision.bounds import SupervisionBounds
from vetlla.receiver.supervision.pauses import Order
from vetlla.receiver.wiring import Bounds
from vetlla.service.supervision.rules import Health, Pause
from vetlla.settings.supervision import AlarmPolicy

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_ucr_reports_itself_and_is_watched_from_then_on(tmp_path: Path) -> None:
    """Its first presence report is stored, later ones are counted in memory. When it falls silent, it is lost."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        told = rig.submit(presence())
        assert told.done()  # it did not wait for the disk
        assert [row["kind"] for row in rig.read("SELECT kind FROM signals")] == ["presence"]
        for _ in range(4):
            await wait(rig, INTERVAL_S)
            rig.submit(beat())
        assert (state(rig), state(rig, device="U1")) == (Health.OK, Health.LOST)
        assert "from U1" in (await why(rig))[0]
        rig.submit(presence())
        await wait(rig, 1)
        assert await why(rig) == []


async def test_policy_may_leave_ucrs_without_alarm(tmp_path: Path) -> None:
    """With the policy TERMINALS a lost UCR opens no alarm."""
    settings = small(tmp_path, supervision={"alarms": AlarmPolicy.TERMINALS})
    async with core(tmp_path, settings=settings, accounts=[HOME]) as rig:
        await rig.submit(presence())
        for _ in range(4):
            await wait(rig, INTERVAL_S)
            rig.submit(beat())
        assert (state(rig, device="U1"), await why(rig)) == (Health.LOST, [])


async def test_a_lost_terminal_and_its_ucr_are_one_alarm(tmp_path: Path) -> None:
    """The UCR is unknown and opens no alarm of its own."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        await wait(rig, LOST_AFTER_S)
        assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
        assert len(await why(rig)) == 1
        assert verdicts(rig) == [("1234", "lost", None)]


async def test_a_report_of_a_missing_ucr_is_no_sign_of_its_life(tmp_path: Path) -> None:
    """With "radio test missing" a terminal reports a silent UCR; "radio test back" is a sign of life of the UCR."""
    missing = Event(Kind.DEVICE_LOST, Phase.NEW, "0003-0123", "scaip")
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        for _ in range(4):
            await wait(rig, INTERVAL_S)
            await rig.submit(presence()._replace(event=missing))
        assert state(rig, device="U1") is Health.LOST
        await rig.submit(presence()._replace(event=missing._replace(phase=Phase.RESTORE, code="0003-0124")))
        assert state(rig, device="U1") is Health.OK


@pytest.mark.parametrize(
    ("left", "back"),
    [
        (Event(Kind.CONFIGURATION, Phase.RESTORE, "401", "contact_id"), Phase.NEW),
        (Event(Kind.CONFIGURATION, Phase.NEW, "401", "contact_id"), Phase.RESTORE),
    ],
    ids=["closing", "opening"],
)
async def test_away_pauses_the_pendants_and_not_the_terminal(tmp_path: Path, left: Event, back: Phase) -> None:
    """When the user leaves, the UCRs are not supervised; they are supervised again on the return."""
    closing = left.phase is Phase.RESTORE
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        await rig.submit(signal()._replace(event=left, device="002"))
        expected = Health.NOT_SUPERVISED if closing else Health.OK
        assert (state(rig), state(rig, device="U1")) == (Health.OK, expected)
        await rig.submit(signal()._replace(event=left._replace(phase=back), device="002"))
        assert state(rig, device="U1") is (Health.UNKNOWN if closing else Health.NOT_SUPERVISED)


LEFT = signal(device="", identity=b"left")._replace(event=Event(Kind.CONFIGURATION, Phase.NEW, "0002-0003", "scaip"))
BACK = signal(device="", identity=b"back")._replace(event=Event(Kind.CONFIGURATION, Phase.NEW, "0002-0121", "scaip"))


async def test_a_repeated_departure_pauses_no_ucr(tmp_path: Path) -> None:
    """A terminal repeats a departure that was not acknowledged, after it already reported the return."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        for said in (LEFT, BACK, LEFT):
            await rig.submit(said)
        assert state(rig, device="U1") is not Health.NOT_SUPERVISED


@pytest.mark.parametrize(("buffered", "repeated"), [(True, False), (False, True)])
async def test_an_old_departure_pauses_no_ucr(tmp_path: Path, buffered: bool, repeated: bool) -> None:  # noqa: FBT001
    """An old departure pauses no UCR, but an old return ends a pause: in doubt a UCR is supervised."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        await rig.submit(LEFT._replace(buffered=buffered, repeated=repeated))
        assert state(rig, device="U1") is Health.OK
        await rig.submit(LEFT._replace(identity=b""))
        assert state(rig, device="U1") is Health.NOT_SUPERVISED
        await rig.submit(BACK._replace(buffered=buffered, repeated=repeated))
        assert state(rig, device="U1") is not Health.NOT_SUPERVISED


async def test_a_return_during_a_reload_counts(tmp_path: Path) -> None:
    """A return still counts if a reload replaces the account before the report is stored."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        await rig.submit(LEFT)
        rig.journal.gate.clear()
        rig.submit(signal())
        await until(rig.journal.at_gate.is_set)
        rig.submit(BACK)
        rig.book = type(rig.book)([replace(HOME, support_level=2)])
        await rig.register()
        rig.intake.apply(rig.settings, rig.book)
        rig.journal.gate.set()
        await rig.sync()
        await rig.sync()
        assert state(rig, device="U1") is not Health.NOT_SUPERVISED


async def test_the_inventory_s_ucrs_are_expected_unheard(tmp_path: Path) -> None:
    """A registered UCR that never reported becomes lost; a UCR that is not of the home is not supervised."""
    inventory = Expected(
        {"1234": Terminal(DeviceType.TERMINAL_IP, Place.HOME)}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ()
    )
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.register(inventory)
        await rig.submit(presence("U9"))
        assert state(rig, device="U9") is Health.NOT_SUPERVISED
        for _ in range(4):
            rig.submit(beat())
            await wait(rig, INTERVAL_S)
        assert state(rig, device="U1") is Health.LOST
        rig.submit(presence("u1"))
        assert state(rig, device="U1") is Health.OK


@pytest.mark.parametrize(("place", "reason"), [(Place.WAREHOUSE, Pause.WAREHOUSE), (Place.HOME, Pause.REMOVED)])
async def test_a_ucr_that_the_inventory_took_out_of_its_home(tmp_path: Path, place: Place, reason: Pause) -> None:
    """The home's only UCR left the home: it is not supervised, and opens no alarm."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.register(Expected({}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ()))
        await rig.submit(presence())
        await rig.register(Expected({}, {}, (), {"H-1": {"U1": place}}))
        for _ in range(5):
            rig.submit(beat())
            await wait(rig, INTERVAL_S)
        assert (state(rig, device="U1"), await why(rig)) == (Health.NOT_SUPERVISED, [])
        assert Pause(rig.supervision.fleet.pause[1]) == reason


async def test_a_terminal_that_invents_ucrs(tmp_path: Path) -> None:
    """The receiver supervises a limited number of UCRs, and stores the reports of the others."""
    bounds = Bounds(supervision=SupervisionBounds(ucrs_max=3))
    async with core(tmp_path, accounts=[HOME], bounds=bounds) as rig:
        for number in range(5):
            await rig.submit(presence(f"X{number}"))
        assert rig.supervision.fleet.devices == ["", "X0", "X1", "X2"]
        assert len(rig.read("SELECT 1 FROM signals WHERE kind = 'presence'")) == 5


async def test_a_ucr_that_reports_itself_while_the_registry_is_read(tmp_path: Path) -> None:
    """A UCR that is heard between two steps of the reload that registers it becomes one device."""
    bounds = Bounds(supervision=SupervisionBounds(at_once=1))
    async with core(tmp_path, accounts=[HOME], bounds=bounds) as rig:
        before = rig.supervision._enrolment._expectations
        reload = asyncio.ensure_future(rig.register(Expected({}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ())))
        while rig.supervision._enrolment._expectations is before:  # noqa: ASYNC110 - each turn of the loop counts
            await asyncio.sleep(0)
        rig.submit(presence("u1"))
        await reload
        assert rig.supervision.fleet.devices == ["", "u1"]
        assert state(rig, device="U1") is Health.OK


async def test_a_ucr_that_an_installer_adds_is_paused_with_its_terminal(tmp_path: Path) -> None:
    """The pause of a terminal and all its UCRs also covers a new UCR, even after a restart."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        order = Order("enric", "installer on site", rig.clock.now().utc_us + 7_200_000_000)
        rig.commit.perform(Operation(partial(rig.supervision.pause, [0], order), lambda *_: None))
        await rig.sync()
        await rig.submit(presence())
        assert state(rig, device="U1") is Health.NOT_SUPERVISED
        clock = rig.clock
    async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
        assert state(rig, device="U1") is Health.NOT_SUPERVISED
        await wait(rig, 7_200)
        assert (state(rig), state(rig, device="U1")) == (Health.UNKNOWN, Health.UNKNOWN)


@pytest.mark.parametrize(
    ("expects", "inventory", "learns"),
    [
        (True, Expected({}, {}, frozenset()), True),
        (True, Expected({}, {"H9": [Ucr(DeviceType.UCR, "U9")]}, frozenset()), True),
        (False, Expected({}, {"H9": [Ucr(DeviceType.UCR, "U9")]}, frozenset()), False),
        (False, Expected({}, {"H1": [Ucr(DeviceType.UCR, "U9")]}, frozenset()), True),
        (False, Expected({}, {}, frozenset()), False),
    ],
)
async def test_ucrs_are_learned_only_where_some_are_expected(
    tmp_path: Path, inventory: Expected, *, expects: bool, learns: bool
) -> None:
    """UCRs are learned if the account or the inventory expects some; otherwise their reports are only stored."""
    account = replace(HOME, home="H1", ucr_interval_s=HOME.ucr_interval_s if expects else 0)
    async with core(tmp_path, accounts=[account]) as rig:
        await rig.register(inventory)
        known = len(rig.supervision.fleet)
        await rig.submit(presence())
        assert (len(rig.supervision.fleet) > known) is learns
        assert len(rig.read("SELECT id FROM signals")) == 1
