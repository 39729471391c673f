"""A simulated month of 80,000 terminals and 97,000 UCRs with a real journal gives exactly what the plan says."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.rigs import month
from tests.rigs.core import Core, core, signal
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.signals import AccountId, Event, Kind, Phase
from vetlla.domain.supervision import Expected
from vetlla.receiver.supervision.bounds import SupervisionBounds
from vetlla.receiver.wiring import Bounds
from vetlla.service.supervision.rules import Health
from vetlla.store.journal.ledger import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.rigs.month import Home
    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Signal

PATIENCE_S = 600.0
"""The time for about twelve million signs of life."""
SAMPLE, SAMPLE_OF_OTHERS = 101, 11
"""One of this many regular homes is compared day by day, and one of this many others."""
BEAT = (signal(code="NULL", kind=Kind.HEARTBEAT),)
PRESENCE = [(signal(code="hb", kind=Kind.PRESENCE, device=f"U{n}"),) for n in range(2)]
LEFT = signal(device="")._replace(event=Event(Kind.CONFIGURATION, Phase.RESTORE, "401", "contact_id"))
BACK = signal(device="")._replace(event=Event(Kind.CONFIGURATION, Phase.NEW, "401", "contact_id"))
LOST_ROWS = """
SELECT u.account, u.device, v.at_us, v.incident FROM verdicts AS v JOIN units AS u ON u.id = v.unit
WHERE v.state = 3 AND v.before <> 3
"""
MEMBERS = "SELECT DISTINCT u.account FROM verdicts AS v JOIN units AS u ON u.id = v.unit WHERE v.incident = ?"


class Other(NamedTuple):
    """A home with silences in its month, of its terminal and of its UCRs."""

    home: Home
    silences: list[tuple[int, int]]
    ucr_silences: list[tuple[int, int]]


class Park:
    """All homes by the time at which they report; those with an irregular month have their silences as well."""

    def __init__(self) -> None:
        self.homes = month.homes()
        self._dull: dict[tuple[int, int], list[Home]] = {}
        self._others: dict[tuple[int, int], list[Other]] = {}
        for home in self.homes:
            place = (home.interval_s, home.phase_s)
            if month.is_regular(home.number):
                self._dull.setdefault(place, []).append(home)
            else:
                other = Other(home, month.silences(home.number), month.ucr_silences(home.number))
                self._others.setdefault(place, []).append(other)

    def due(self, second: int) -> Iterator[tuple[Account, tuple[Signal]]]:
        """Yield the reports of a second, each with its account."""
        for interval_s in (month.DIGITAL_S, month.ANALOG_S):
            place = (interval_s, second % interval_s)
            for home in self._dull.get(place, ()):
                yield home.account, BEAT
                for presence in PRESENCE[: home.ucrs]:
                    yield home.account, presence
            for home, silences, ucr_silences in self._others.get(place, ()):
                if month.within(second, silences):
                    continue
                yield home.account, BEAT
                if not month.within(second, ucr_silences):
                    for presence in PRESENCE[: home.ucrs]:
                        yield home.account, presence


async def live(rig: Core, park: Park, since: int, until: int) -> None:
    """Let all homes report by plan. Check deadlines at each tick, and write once an hour."""
    heard = rig.supervision.heard
    await registry(rig, since)
    for second in range(since, until, month.TICK_S):
        while rig.supervision.look():
            pass
        if second in month.SUSPENDED_S:
            await registry(rig, second)
        arrival = rig.arrival()
        if second in month.AWAY_S:
            said = LEFT if second == month.AWAY_S[0] else BACK
            for number in month.AWAY:
                account = park.homes[number].account
                report = said._replace(id=AccountId("", "", account.account))
                heard(account, (report,), arrival)
                rig.supervision.stored(report, account, arrival.received)
        for account, signals in park.due(second):
            heard(account, signals, arrival)
        if second % month.HOUR == 0 or rig.supervision._losses.pending:
            await write(rig)
        rig.clock.advance(month.TICK_S)
    while rig.supervision.look():
        pass
    await write(rig)


async def registry(rig: Core, second: int) -> None:
    first, after = month.SUSPENDED_S
    await rig.register(Expected({}, {}, {f"H{n}" for n in month.SUSPENDED} if first <= second < after else ()))


async def write(rig: Core) -> None:
    await rig.sync()
    while rig.supervision.pending:
        await rig.sync()
    rig.journal.written.clear()


@pytest.mark.apart
@pytest.mark.timeout(2 * PATIENCE_S)
async def test_a_month(tmp_path: Path) -> None:
    """Outages, suspensions, absences, dead devices and a restart yield what the plan says, and nothing else."""
    # This test is not about the writes of each half minute.
    bounds = Bounds(supervision=SupervisionBounds(every_s=10 * month.DAY))
    park, clock = Park(), ManualClock(to_datetime(month.BEGIN_US))
    accounts = [home.account for home in park.homes]

    async def first_half() -> None:
        async with core(tmp_path, accounts=accounts, clock=clock, bounds=bounds) as rig:
            await live(rig, park, 0, month.DOWN[0])
            rig.commit.pulse()

    async def second_half() -> None:
        clock.advance(month.DOWN[1] - month.DOWN[0])
        async with core(tmp_path, accounts=accounts, clock=clock, bounds=bounds) as rig:
            await live(rig, park, month.DOWN[1], month.ENDS)
            compare_verdicts(rig, park)
            compare_incidents(rig)
            await compare_alarms(rig, park)
            compare_days(rig, park)
            assert rig.flaws() == []

    async with asyncio.timeout(PATIENCE_S):
        await first_half()
        await second_half()


def second_of(at_us: int) -> int:
    return (at_us - month.BEGIN_US) // 1_000_000


def compare_verdicts(rig: Core, park: Park) -> None:
    """Assert that exactly the planned losses were found, each at its planned tick."""
    planned: Counter[tuple[str, str, int]] = Counter()
    for home in park.homes:
        if not month.is_regular(home.number):
            planned.update((home.account.account, "", tick) for tick in month.lost_at(home, ucr=False))
            for ucr in range(home.ucrs):
                planned.update((home.account.account, f"U{ucr}", tick) for tick in month.lost_at(home, ucr=True))
    found = Counter((row["account"], row["device"], second_of(row["at_us"])) for row in rig.read(LOST_ROWS))
    assert planned.total() > 6_000
    assert found == planned


def members(numbers: Iterable[int]) -> set[str]:
    return {f"{number:06}" for number in numbers}


def compare_incidents(rig: Core) -> None:
    """Assert that there are two ended incidents, of the operator and of the cell, each with all its members."""
    rows = rig.read("SELECT id, label, members, closed_us FROM incidents ORDER BY id")
    digital = range(month.DIGITAL)
    expected = {
        "operator:a": members(n for n in digital if n % 3 == 0),
        f"cell:{month.CELL}": members(n for n in digital if n % month.CELLS == month.CELL),
    }
    assert [row["label"] for row in rows] == list(expected)
    for row in rows:
        listed = rig.read(
            "SELECT DISTINCT u.account FROM verdicts AS v JOIN units AS u ON u.id = v.unit WHERE v.incident = ?",
            row["id"],
        )
        assert {one["account"] for one in listed} == expected[row["label"]]
        assert row["members"] == len(expected[row["label"]])
        assert row["closed_us"] is not None


async def compare_alarms(rig: Core, park: Park) -> None:
    """Assert one open alarm for each dead device; those of incidents and of the cell's first losses are closed."""
    still_open = {(alarm["account"], alarm["kind"]) for alarm in await rig.open_alarms()}
    dead = members(month.DEAD) | members(month.DEAD_UCRS)
    assert still_open == {(account, "device_lost") for account in dead}
    closed = Counter(row["account"] for row in rig.read("SELECT account FROM alarms WHERE state = 'closed'"))
    cell = members(n for n in range(month.DIGITAL) if n % month.CELLS == month.CELL)
    incidents = {account for account in closed if account.startswith("incident")}
    assert incidents == {"incident 1", "incident 2"}
    # Half of the cell makes an incident. Devices that were lost at earlier ticks had an alarm of their own.
    losses = (month.lost_at(park.homes[int(number)], ucr=False) for number in cell)
    ticks = sorted(tick for lost in losses for tick in lost if tick > month.CELL_OUT[0])
    assert len(closed.keys() & cell) == sum(tick < ticks[len(cell) // 2 - 1] for tick in ticks) > 0
    assert closed.keys() <= incidents | cell


def compare_days(rig: Core, park: Park) -> None:
    """Assert the planned days of the devices, for a sample of the regular homes and a larger one of the others."""
    names = {
        row["id"]: (int(row["account"]), bool(row["device"]))
        for row in rig.read("SELECT id, account, device FROM units")
    }
    assert len(names) == month.DIGITAL + month.ANALOG + 97_000
    compared = 0
    for day in month.DAYS:
        for row in rig.read("SELECT stretch, columns FROM ledger WHERE day = ?", day.isoformat()):
            for found in unpack(row["stretch"], row["columns"]):
                if found.unit not in names:
                    continue
                number, ucr = names[found.unit]
                if number % (SAMPLE if month.is_regular(number) else SAMPLE_OF_OTHERS):
                    continue
                planned = month.day_of(park.homes[number], day, ucr=ucr)
                if ucr and month.heard(park.homes[number], ucr=True)[0] >= month.at_s(day):
                    # The receiver learns a UCR when it first hears it, so that its first day is shorter.
                    planned = planned._replace(supervised_s=found.supervised_s, longest_s=found.longest_s)
                assert month.Day(found.received, found.supervised_s, found.longest_s, bool(found.reasons)) == planned, (
                    day,
                    number,
                    ucr,
                )
                compared += 1
    assert compared > 100_000
    assert rig.supervision.today == month.DAYS[-1] + timedelta(days=1)
    assert rig.supervision.fleet.counts[Health.LOST] == len(month.DEAD) + len(month.DEAD_UCRS)
