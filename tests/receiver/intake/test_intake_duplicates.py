"""The intake: a report that is known already is acknowledged again, and not stored again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.callers import HOME, KEYED, beat
from tests.rigs.core import core, signal, small
from vetlla.domain.signals import DUPLICATE, STORED, VerdictOutcome

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_retry_is_answered_again_and_never_stored_again(tmp_path: Path) -> None:
    """In the same batch, in a later one and after a restart a retry is a duplicate, counted with its last path."""
    again = signal(identity=b"one")
    async with core(tmp_path) as rig:
        first, second = rig.submit(again), rig.submit(again)
        assert ((await first).verdicts, (await second).verdicts) == ([STORED], [DUPLICATE])
        rig.clock.advance(60)
        elsewhere = rig.arrival("198.51.100.9:1")._replace(transport="udp")
        assert (await rig.submit(again, arrival=elsewhere)).verdicts == [DUPLICATE]
        (counted,) = rig.read("SELECT count, transport, peer FROM duplicates")
        assert counted == {"count": 2, "transport": "udp", "peer": "198.51.100.9:1"}
        assert rig.counters.signals["dc09", VerdictOutcome.DUPLICATE] == 2
        clock = rig.clock
    async with core(tmp_path, clock=clock) as rig:
        assert (await rig.submit(again)).verdicts == [DUPLICATE]
        assert len(rig.read("SELECT id FROM signals")) == 1
        assert rig.read("SELECT count FROM duplicates") == [{"count": 3}]


async def test_the_window_of_duplicates_ends(tmp_path: Path) -> None:
    """Within the window a report is the same one, and a moment later another one, also after a restart."""
    again = signal(identity=b"one", sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    async with core(tmp_path, settings=small(tmp_path, store={"duplicate_window_s": 900})) as rig:
        await rig.submit(again)
        rig.clock.advance(900)
        assert (await rig.submit(again)).verdicts == [DUPLICATE]
        rig.clock.advance(0.000001)
        assert (await rig.submit(again)).verdicts == [STORED]
        clock = rig.clock
    clock.advance(901)
    async with core(tmp_path, clock=clock) as rig:
        assert (await rig.submit(again)).verdicts == [STORED]


async def test_a_report_without_identity_is_never_a_duplicate(tmp_path: Path) -> None:
    """Unnumbered reports are all stored."""
    async with core(tmp_path) as rig:
        told = await asyncio.gather(rig.submit(signal()), rig.submit(signal()))
        assert [one.verdicts for one in told] == [[STORED], [STORED]]


async def test_a_report_whose_commit_failed_is_no_duplicate(tmp_path: Path) -> None:
    """A report that was rolled back is stored when it is repeated, under the number that it would have had."""
    again = signal(identity=b"one")
    async with core(tmp_path) as rig:
        await rig.submit(signal(identity=b"before"))
        rig.journal.failing = True
        assert (await rig.submit(again)).verdicts is None
        await rig.healed()
        assert (await rig.submit(again)).verdicts == [STORED]
        assert [row["id"] for row in rig.read("SELECT id FROM signals ORDER BY id")] == [1, 2]
        assert rig.flaws() == []


@pytest.mark.parametrize("trouble", ["low", "failed"])
async def test_a_durable_report_is_acknowledged_even_if_the_disk_fails(tmp_path: Path, trouble: str) -> None:
    """While no new report can be taken, a retry of a stored one is answered; others do not even get a refusal."""
    again, strange = signal(identity=b"one"), signal("5678")
    async with core(tmp_path, accounts=[HOME, KEYED]) as rig:
        await rig.submit(again)
        if trouble == "low":
            full = {"min_free_mib": 1 << 40, "recover_free_mib": 1 << 40}
            rig.commit.settings = small(tmp_path, store=full)
            assert await rig.sync()
        else:
            rig.journal.failing = True
            assert (await rig.submit(signal())).verdicts is None
        assert (await rig.submit(again)).verdicts == [DUPLICATE]
        assert (await rig.submit(again, signal(identity=b"two"))).verdicts is None
        assert (await rig.submit(signal())).verdicts is None
        assert (await rig.submit(beat())).verdicts is None
        assert (await rig.submit(strange)).verdicts is None
        assert rig.counters.signals["dc09", VerdictOutcome.REFUSED] == 0
        rig.commit.settings = rig.settings
        rig.journal.failing = False
