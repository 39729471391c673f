"""Supervision with a real journal: changes of state, alarms and incidents of terminals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.rigs.core import ANA, core, signal, small, until
from tests.rigs.loops import each_loop
from tests.rigs.watched import (
    HOME,
    INTERVAL_S,
    LOST_AFTER_S,
    beat,
    fleet_of,
    presence,
    state,
    verdicts,
    wait,
    why,
    will,
)
from vetlla.domain.accounts import Account
from vetlla.domain.clock import SystemClock
from vetlla.domain.signals import Kind, Reason, refused
from vetlla.service.supervision.rules import Health
from vetlla.settings.supervision import AlarmPolicy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.core import Core


async def test_a_lost_terminal_opens_an_alarm_and_a_restore_closes_it(tmp_path: Path) -> None:
    """Three silent intervals write a change of state and open a TECHNICAL alarm; the next report ends both."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        await wait(rig, LOST_AFTER_S - INTERVAL_S)
        assert (state(rig), await why(rig)) == (Health.LATE, [])
        await wait(rig, INTERVAL_S)
        assert state(rig) is Health.LOST
        (alarm,) = await rig.open_alarms()
        assert (alarm["kind"], alarm["priority"], alarm["home"]) == ("device_lost", "TECHNICAL", "H-1")
        assert "last heard 2026-01-01T00:00:00.000000Z, expected every 900 s" in alarm["why"]
        rig.submit(beat())
        await wait(rig, 1)
        assert (state(rig), await rig.open_alarms()) == (Health.OK, [])
        assert verdicts(rig) == [("1234", "lost", None), ("1234", "ok", None)]
        (closed,) = rig.read("SELECT state, outcome, operator FROM alarms")
        assert (closed["state"], closed["outcome"], closed["operator"]) == ("closed", "technical", "receiver")
        assert rig.flaws() == []


async def test_an_alarm_that_an_operator_holds_is_not_closed(tmp_path: Path) -> None:
    """The alarm stays with its operator, and a note says that the device was heard again."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await wait(rig, LOST_AFTER_S)
        await rig.ask("queue.claim", ANA, alarm=1)
        rig.submit(beat())
        await wait(rig, 1)
        (alarm,) = await rig.open_alarms()
        assert alarm["state"] == "claimed"
        (note,) = rig.read("SELECT operator, text FROM notes")
        assert note["operator"] == "receiver"
        assert note["text"].startswith("heard again at 2026-01-01")


async def test_a_lost_home_that_calls_for_help(tmp_path: Path) -> None:
    """The call is a sign of life, so the alarm of the loss ends and only the call's alarm stays."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await wait(rig, LOST_AFTER_S)
        await rig.submit(signal())
        await wait(rig, 1)
        assert state(rig) is Health.OK
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]


async def test_a_loss_that_joined_a_call_does_not_end_it(tmp_path: Path) -> None:
    """A home that called and then fell silent keeps the call's alarm when the terminal is heard again."""
    home = Account(account="1234", home="H-1", interval_s=300)
    async with core(tmp_path, accounts=[home]) as rig:
        await rig.submit(signal())
        await wait(rig, 906)
        assert state(rig) is Health.LOST
        assert verdicts(rig) == [("1234", "lost", None)]
        rig.submit(beat())
        await wait(rig, 1)
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["priority"]) == (1, "LIFE")
        assert [row["operator"] for row in rig.read("SELECT operator FROM notes")] == ["receiver"]


async def test_a_terminal_that_was_never_heard_is_lost_too(tmp_path: Path) -> None:
    """A registered terminal that is silent from the beginning becomes lost."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert state(rig) is Health.UNKNOWN
        await wait(rig, LOST_AFTER_S)
        assert state(rig) is Health.LOST
        assert "never heard" in (await why(rig))[0]


async def test_every_report_is_a_sign_of_life(tmp_path: Path) -> None:
    """The report of a mains failure is a sign of life, and a mains failure pauses no supervision."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        rig.clock.advance(2 * INTERVAL_S)
        await rig.submit(signal(code="301", kind=Kind.MAINS_LOST))
        await wait(rig, 2 * INTERVAL_S)
        assert state(rig) is Health.LATE
        await wait(rig, INTERVAL_S + 6)
        assert state(rig) is Health.LOST


async def test_a_report_of_the_broker_is_no_sign_of_life(tmp_path: Path) -> None:
    """A last will from the broker does not end the loss of a terminal."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        await wait(rig, LOST_AFTER_S)
        rig.submit(will())
        await rig.sync()
        assert state(rig) is Health.LOST
        assert rig.supervision.fleet.received[0] == 1


async def test_a_last_will_says_that_a_terminal_is_lost(tmp_path: Path) -> None:
    """The terminal is lost at once and its UCRs are unknown; one alarm opens and ends on the next report."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        await rig.submit(presence())
        rig.submit(will())
        await wait(rig, 1)
        assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
        assert [alarm["kind"] for alarm in await rig.open_alarms()] == [Kind.DEVICE_LOST]
        rig.submit(beat())
        await wait(rig, 1)
        assert (state(rig), await why(rig)) == (Health.OK, [])
        await wait(rig, LOST_AFTER_S)
        assert state(rig) is Health.LOST


async def test_a_last_will_of_an_unsupervised_terminal_is_an_alarm(tmp_path: Path) -> None:
    """An unsupervised terminal has no loss, so its last will opens an alarm. A retained call makes no device lost."""
    async with core(tmp_path, accounts=[replace(HOME, interval_s=0), *fleet_of(1)]) as rig:
        rig.submit(will())
        rig.submit(signal("0000", from_broker=True))
        await wait(rig, 1)
        assert (state(rig), state(rig, "0000")) == (Health.NOT_SUPERVISED, Health.UNKNOWN)
        kinds = {alarm["home"]: alarm["kind"] for alarm in await rig.open_alarms()}
        assert kinds == {"H-1": Kind.PATH_TROUBLE, "H0": Kind.PERSONAL_EMERGENCY}


async def test_many_last_wills_are_one_incident(tmp_path: Path) -> None:
    """When a cell fails, one alarm opens, and it is closed when the terminals are heard again."""
    homes = fleet_of(30, labels=("operator:a",))
    async with core(tmp_path, accounts=homes) as rig:
        for home in homes:
            rig.submit(beat(home.account))
        for home in homes:
            rig.submit(will(home.account))
        await wait(rig, 1)
        assert [alarm["home"] for alarm in await rig.open_alarms()] == ["incident 1"]
        for home in homes:
            rig.submit(beat(home.account))
        await wait(rig, 1)
        assert await rig.open_alarms() == []


async def test_time_without_reports_counts_against_no_device(tmp_path: Path) -> None:
    """While the disk fails, terminals use their second receiver; each has a whole interval once the disk works."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        rig.journal.failing = True
        assert (await rig.submit(signal("77"))).verdicts is None
        rig.clock.advance(10 * INTERVAL_S)
        await rig.healed()
        rig.supervision.look()
        assert state(rig) is Health.OK
        await wait(rig, LOST_AFTER_S)
        assert state(rig) is Health.LOST


async def test_a_loss_whose_commit_failed_is_written_with_the_next(tmp_path: Path) -> None:
    """A loss writes one change of state and opens one alarm, even if the first commit fails."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        await rig.sync()
        rig.journal.gate.clear()
        rig.clock.advance(LOST_AFTER_S)
        rig.supervision.look()
        await rig.held()
        rig.journal.failing = True
        rig.journal.gate.set()
        assert not await rig.sync()
        await rig.healed()
        await rig.sync()
        await rig.sync()
        assert verdicts(rig) == [("1234", "lost", None)]
        assert len(await why(rig)) == 1
        rig.submit(beat())
        await wait(rig, 1)
        assert await why(rig) == []


async def test_policy_may_open_no_alarm(tmp_path: Path) -> None:
    """The journal has the change of state even without an alarm."""
    settings = small(tmp_path, supervision={"alarms": AlarmPolicy.NONE})
    async with core(tmp_path, settings=settings, accounts=[HOME]) as rig:
        await wait(rig, LOST_AFTER_S)
        assert (await why(rig), verdicts(rig)) == ([], [("1234", "lost", None)])


@each_loop
async def test_the_loop_s_timer_finds_silent_devices(tmp_path: Path) -> None:
    """With a real clock and the loop's own timer, silent devices are found one after the other."""
    homes = [Account(account=str(number), interval_s=1, allowed_misses=1) for number in range(2)]
    settings = small(tmp_path, supervision={"tolerance_s": 0.0})
    async with core(tmp_path, settings=settings, accounts=homes, clock=SystemClock()) as rig:
        for home in homes:
            rig.submit(beat(home.account))
        await until(lambda: rig.supervision.fleet.counts[Health.LOST] == 2)
        await rig.sync()
        assert len(verdicts(rig)) == 2


async def test_an_operator_s_outage_is_one_incident(tmp_path: Path) -> None:
    """One alarm stands for all members, and the incident includes the devices that were lost first."""
    homes = [*fleet_of(30, labels=("operator:a",)), Account(account="9999", home="H9", interval_s=INTERVAL_S)]
    async with core(tmp_path, accounts=homes) as rig:
        for home in homes[:30]:
            rig.submit(beat(home.account))
            rig.clock.advance(1)
        await wait(rig, LOST_AFTER_S - INTERVAL_S - 200)
        rig.submit(beat("9999"))
        for _ in range(60):
            await wait(rig, 20)
        assert rig.supervision.fleet.counts[Health.LOST] == 30
        (alarm,) = await rig.open_alarms()
        assert alarm["home"] == "incident 1"
        assert "operator:a fell silent together" in alarm["why"]
        (row,) = rig.read("SELECT label, members, closed_us FROM incidents")
        assert (row["label"], row["members"], row["closed_us"]) == ("operator:a", 30, None)
        members = rig.read("SELECT DISTINCT unit FROM verdicts WHERE incident = 1")
        assert len(members) == 30

        for home in homes[:21]:
            rig.submit(beat(home.account))
        await wait(rig, 1)
        (row,) = rig.read("SELECT closed_us FROM incidents")
        assert row["closed_us"] is not None
        # Nine of them are still silent, and each has an alarm of its own now.
        assert sorted(alarm["home"] for alarm in await rig.open_alarms()) == [f"H{n}" for n in range(21, 30)]


@pytest.mark.parametrize(("code", "kind", "priority"), [
    ("101", Kind.PERSONAL_EMERGENCY, "LIFE"),
    ("302", Kind.BATTERY_LOW, "TECHNICAL"),
])  # fmt: skip
@pytest.mark.parametrize("refused_first", [False, True])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_refused_report_in_the_alarm_of_a_loss_is_not_closed_unseen(
    tmp_path: Path, code: str, kind: Kind, priority: str, *, refused_first: bool, restart: bool
) -> None:
    """A terminal reports in clear before or after its loss; the alarm stays open when it is heard again."""
    home = replace(HOME, key_name="spring")

    async def say_in_clear(rig: Core) -> None:
        assert (await rig.submit(signal("1234", code, kind=kind))).verdicts == [refused(Reason.PLAIN_REFUSED)]
        await rig.sync()

    async def heard_again(rig: Core) -> None:
        await rig.submit(beat()._replace(sealed_with="spring"))
        await rig.sync()
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert (alarm["id"], alarm["state"], alarm["priority"]) == (1, "waiting", priority)
        assert "refused: sent in clear" in alarm["why"]
        assert [row["text"] for row in rig.read("SELECT text FROM notes")][-1].startswith("heard again at")

    settings = small(tmp_path, queue={"chain_window_s": 100_000.0})
    async with core(tmp_path, accounts=[home], settings=settings) as rig:
        await rig.submit(beat()._replace(sealed_with="spring"))
        if refused_first:
            await say_in_clear(rig)
        await wait(rig, LOST_AFTER_S)
        if not refused_first:
            await say_in_clear(rig)
        clock = rig.clock
        if not restart:
            await heard_again(rig)
    if restart:
        async with core(tmp_path, accounts=[home], settings=settings, clock=clock) as rig:
            await heard_again(rig)
