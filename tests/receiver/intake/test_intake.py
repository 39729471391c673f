"""The intake: verdicts, and heartbeats that are written later."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.callers import HOME, beat
from tests.rigs.core import Core, core, signal, until
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account, Maker, Remap
from vetlla.domain.signals import (
    STORED,
    AccountId,
    Flag,
    Kind,
    Priority,
)
from vetlla.domain.supervision import STRETCH
from vetlla.protocols.codes.tables import SIA_DCS
from vetlla.receiver.supervision import records
from vetlla.receiver.supervision.bounds import SupervisionBounds
from vetlla.receiver.wiring import Bounds

if TYPE_CHECKING:
    from pathlib import Path


# --- verdicts ---------------------------------------------------------------------------------------------------------


@each_loop
async def test_no_verdict_before_the_commit(tmp_path: Path) -> None:
    """A peer gets no answer until the transaction that holds its frame is durable."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        told = rig.submit(signal())
        await rig.held()
        await asyncio.sleep(0)
        assert not told.done()
        assert rig.read("SELECT * FROM signals") == []
        rig.journal.gate.set()
        assert (await told).verdicts == [STORED]
        assert [row["account"] for row in rig.read("SELECT account FROM signals")] == ["1234"]


async def test_the_parts_of_a_frame_stand_or_fall_together(tmp_path: Path) -> None:
    """Several events of one frame share a transaction, and get their verdicts at once."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        parts = [signal(code=str(100 + part), identity=b"%d" % part, part=part, parts=3) for part in (1, 2, 3)]
        assert (await rig.submit(*parts)).verdicts == [STORED] * 3
        rows = rig.read("SELECT code, part, parts, commit_id, alarm_id FROM signals ORDER BY id")
        assert [(row["code"], row["part"], row["parts"]) for row in rows] == [
            ("101", 1, 3),
            ("102", 2, 3),
            ("103", 3, 3),
        ]
        assert len({row["commit_id"] for row in rows}) == 1
        assert len({row["alarm_id"] for row in rows}) == 1


async def test_frames_of_one_turn_share_a_commit(tmp_path: Path) -> None:
    """Frames read in one turn of the loop, and those that come while a commit is under way, are committed together."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        first = [rig.submit(signal(str(number))) for number in range(3)]
        await rig.held()
        second = [rig.submit(signal(str(number))) for number in range(10, 14)]
        rig.journal.gate.set()
        await asyncio.gather(*first, *second)
        assert [len(batch.signals) for batch in rig.journal.written if batch.signals] == [3, 4]


@pytest.mark.parametrize(
    ("bounds", "accounts"),
    [(Bounds(batch_max=2), [Account(account=str(number)) for number in range(5)]), (Bounds(strangers_share=2), [])],
    ids=["homes", "strangers"],
)
async def test_a_batch_is_bounded(tmp_path: Path, bounds: Bounds, accounts: list[Account]) -> None:
    """More frames than one transaction takes are committed in order, one batch after the other."""
    async with core(tmp_path, accounts=accounts, bounds=bounds) as rig:
        await asyncio.gather(*[rig.submit(signal(str(number))) for number in range(5)])
        assert [len(batch.signals) for batch in rig.journal.written if batch.signals] == [2, 2, 1]
        stored = [row["account"] for row in rig.read("SELECT account FROM signals ORDER BY id")]
        assert stored == ["0", "1", "2", "3", "4"]


async def test_a_fault_of_one_peer_does_not_delay_the_others(tmp_path: Path) -> None:
    """If the answer to one peer fails, the others get theirs, and their alarms are shown."""
    async with core(tmp_path) as rig:

        def deliver(*_: object) -> None:
            raise ZeroDivisionError

        rig.intake.submit(rig.arrival(), [signal("1")], deliver)
        assert (await rig.submit(signal("2"))).verdicts == [STORED]
        assert [alarm["account"] for alarm in await rig.open_alarms()] == ["1", "2"]


async def test_a_report_that_no_row_can_hold_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """If a third party's decoder returns values that cannot be stored, its peer gets no answer; the next one does."""
    async with core(tmp_path) as rig:
        with capture_logs() as lines:
            broken = rig.submit(signal("1", details={"said": object()}))
            told = rig.submit(signal("2"))
            assert (await told).verdicts == [STORED]
            assert (await broken).verdicts is None
        assert [line["event"] for line in lines if line["log_level"] == "error"] == ["frame.failed"]
        assert [row["account"] for row in rig.read("SELECT account FROM signals")] == ["2"]
        assert "2" in [alarm["account"] for alarm in await rig.open_alarms()]
        assert rig.flaws() == []


async def test_the_meaning_is_stored_beside_the_code(tmp_path: Path) -> None:
    """A signal's row carries the home, the meaning by the home's own remap, and the flags of its circumstances."""
    home = replace(HOME, remaps={"120": Remap(Kind.FALL, None)})
    async with core(tmp_path, accounts=[home]) as rig:
        await rig.submit(signal(code="120", kind=Kind.INTRUSION, buffered=True))
        await rig.submit(signal("9999", repeated=True))
        meant, stranger = rig.read("SELECT home, kind, priority, flags FROM signals ORDER BY id")
        assert meant == {"home": "H1", "kind": "fall", "priority": Priority.LIFE, "flags": Flag.BUFFERED}
        assert stranger["home"] == "9999"
        assert stranger["priority"] == Priority.LIFE
        assert stranger["flags"] == Flag.REPEATED | Flag.UNKNOWN_ACCOUNT


async def test_codes_have_the_makers_meaning_if_the_account_names_a_maker(tmp_path: Path) -> None:
    """A code is an alarm for a home without a maker, and a routine report for one with Ajax; a remap goes first."""
    ajax = replace(HOME, maker=Maker.AJAX)
    other = replace(HOME, account="77", home="H2")
    remapped = replace(ajax, account="78", home="H3", remaps={"PE": Remap(Kind.PERSONAL_EMERGENCY, None)})
    says = SIA_DCS.event("PE")
    async with core(tmp_path, accounts=[ajax, other, remapped]) as rig:
        for account in (HOME.account, "77", "78"):
            await rig.submit(signal(account)._replace(event=says))
        rows = rig.read("SELECT code, kind, priority, more FROM signals ORDER BY id")
        assert [(row["code"], row["kind"], row["priority"]) for row in rows] == [
            ("PE", "configuration", Priority.ROUTINE),
            ("PE", "general_alarm", Priority.LIFE),
            ("PE", "personal_emergency", Priority.LIFE),
        ]
        assert ["ajax" in (row["more"] or "") for row in rows] == [True, False, True]


@pytest.mark.parametrize(
    ("who", "home"),
    [
        (AccountId("", "0", "1234"), "1234"),
        (AccountId("", "", "1234"), "1234"),
        (AccountId("", "00", "1234"), "1234"),
        (AccountId("", "2", "1234"), "/2/1234"),
        (AccountId("7", "0", "1234"), "7/0/1234"),
        (AccountId("", "", ""), "192.0.2.7"),
    ],
)
async def test_a_caller_without_a_home_counts_by_itself(tmp_path: Path, who: AccountId, home: str) -> None:
    """Callers with different receivers or lines are not chained; a line that is not used makes no difference."""
    async with core(tmp_path) as rig:
        await rig.submit(signal()._replace(id=who))
        assert [alarm["home"] for alarm in await rig.open_alarms()] == [home]


# --- heartbeats -------------------------------------------------------------------------------------------------------


def beats(rig: Core) -> dict[str, int]:
    return {unit.account: unit.received for unit in rig.units() if unit.received}


async def test_heartbeats_are_answered_from_memory_and_written_later(tmp_path: Path) -> None:
    """A heartbeat does not wait for the disk; its count is added to the stored one after some seconds."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        for _ in range(3):
            told = rig.submit(beat())
            assert told.done()
            assert told.result().verdicts == [STORED]
        assert rig.counters.heartbeats["dc09"] == 3
        await rig.submit(signal())
        assert beats(rig) == {}
        rig.clock.advance(records.EVERY_S)
        await rig.sync()
        assert beats(rig) == {"1234": 4}  # every report is a sign of life
        rig.submit(beat())
        rig.clock.advance(records.EVERY_S)
        await rig.sync()
        assert beats(rig) == {"1234": 5}
        assert [row["id"] for row in rig.read("SELECT id FROM signals")] == [1]


async def test_a_timer_writes_heartbeats_when_nothing_else_happens(tmp_path: Path) -> None:
    """An idle receiver writes its counts by itself."""
    bounds = Bounds(supervision=SupervisionBounds(every_s=0.02))
    async with core(tmp_path, accounts=[HOME], bounds=bounds) as rig:
        rig.submit(beat())
        rig.clock.advance(0.02)
        await until(lambda: beats(rig) == {"1234": 1})


async def test_heartbeats_leave_in_bounded_batches(tmp_path: Path) -> None:
    """A fleet's heartbeats are written one batch after the other, and an alarm may come in between."""
    homes = [Account(account=str(number)) for number in range(2 * STRETCH + 1)]
    bounds = Bounds(supervision=SupervisionBounds(stretches=1))
    async with core(tmp_path, accounts=homes, bounds=bounds) as rig:
        await written(rig)
        for home in homes:
            rig.submit(beat(home.account))
        rig.clock.advance(records.EVERY_S)
        rig.journal.gate.clear()
        rig.commit.wake()
        await rig.held()
        before = len(rig.journal.written)
        told = rig.submit(signal("7"))
        rig.journal.gate.set()
        await told
        await until(lambda: len(rig.journal.written) >= before + 3)
        sizes = [(len(batch.supervision.signs), len(batch.signals)) for batch in rig.journal.written[before:]]
        assert sizes == [(1, 0), (1, 1), (1, 0)]
        assert len(beats(rig)) == len(homes)


async def test_a_new_fleet_s_rows_leave_in_bounded_batches(tmp_path: Path) -> None:
    """The rows for a registry's accounts are written one batch after the other, too."""
    homes = [Account(account=str(number), interval_s=900) for number in range(35)]
    bounds = Bounds(supervision=SupervisionBounds(rows=10))
    async with core(tmp_path, accounts=homes, bounds=bounds) as rig:
        await written(rig)
        sizes = [len(batch.supervision.units) for batch in rig.journal.written]
        assert [size for size in sizes if size] == [10, 10, 10, 5]
        assert len(rig.units()) == 35


async def written(rig: Core) -> None:
    """Wait until the journal has the rows for the registry's accounts."""
    rig.clock.advance(records.EVERY_S)
    while rig.supervision._states.changed_blocks or rig.supervision.pending:
        await rig.sync()


async def test_heartbeats_are_written_at_the_end(tmp_path: Path) -> None:
    """A receiver that is stopped writes the heartbeats since the last time."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        rig.submit(beat())
    assert beats(rig) == {"1234": 2}


async def test_a_failed_commit_loses_no_heartbeat(tmp_path: Path) -> None:
    """Heartbeats of a batch that was rolled back are counted with the next one, and only once."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        rig.submit(beat())
        rig.clock.advance(records.EVERY_S)
        rig.journal.failing = True
        assert not await rig.sync()
        await rig.healed()
        await rig.sync()
        assert beats(rig) == {"1234": 1}


async def test_a_stranger_s_heartbeat_is_a_report(tmp_path: Path) -> None:
    """A heartbeat of an account that is not registered is put before an operator."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        assert (await rig.submit(beat("9999"))).verdicts == [STORED]
        assert [alarm["kind"] for alarm in await rig.open_alarms()] == ["heartbeat"]


async def test_a_heartbeat_does_not_hide_the_alarm_beside_it(tmp_path: Path) -> None:
    """A frame with a heartbeat and a call for help is stored before it is acknowledged."""
    async with core(tmp_path, accounts=[HOME]) as rig:
        both = (beat()._replace(part=1, parts=2), signal(part=2, parts=2))
        assert (await rig.submit(*both)).verdicts == [STORED, STORED]
        assert [row["kind"] for row in rig.read("SELECT kind FROM signals ORDER BY id")] == [
            "heartbeat",
            "personal_emergency",
        ]
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]
