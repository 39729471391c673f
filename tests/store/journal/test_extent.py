"""What the journal has of the past: its begin, what a removal by age took, and what a restore may have lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.rigs.journals import journal, report
from tests.rigs.removals import removed
from vetlla.domain.clock import ManualClock, to_us
from vetlla.store.backups.backup import back_up
from vetlla.store.backups.restore import restore
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.extent import Extent, LostTime, extent
from vetlla.store.journal.free_space import FreeSpace

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
DAY_S = 86_400


def has(state: Path) -> Extent:
    """Return what the journal of a directory has."""
    with Archive(state) as archive:
        return extent(archive)


def day(number: int) -> int:
    """Return the moment that is some days after the start."""
    return to_us(START) + number * DAY_S * 1_000_000


def test_a_journal_begins_with_the_first_start_of_a_receiver(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with journal(tmp_path, clock) as scribe:
        clock.advance(DAY_S)
        scribe.commit(report(1))
    assert has(tmp_path) == Extent(day(0), None, ())


def test_what_was_removed_by_age_is_known_after_it_is_gone(tmp_path: Path) -> None:
    """Signals of the days 0 to 9; on day 40, those older than 35 days are removed."""
    clock = ManualClock(START)
    with journal(tmp_path, clock) as scribe:
        for number in range(10):
            scribe.commit(report(number))
            clock.advance(DAY_S)
        clock.advance(30 * DAY_S)
        removed(scribe, positions=1, raw=1)
        assert has(tmp_path).removed_us is None, "only bytes were removed"
        removed(scribe, signals=35)
    assert has(tmp_path) == Extent(day(0), day(4), ())


def test_a_restore_loses_what_came_after_its_backup(tmp_path: Path) -> None:
    """A second restore of the same backup, after which nothing came, loses nothing more than the first one."""
    state, backup, clock = tmp_path / "state", tmp_path / "backup", ManualClock(START)
    with journal(state, clock) as scribe:
        scribe.commit(report(1))
    clock.advance(DAY_S)
    room = FreeSpace(state, reserve=0)
    back_up(state, backup, clock, room)
    clock.advance(DAY_S)
    restore(backup, state, clock, room, actor="enric")
    assert has(state).lost == (), "nothing came after the backup"
    with journal(state, clock) as scribe:
        scribe.commit(report(2))
    clock.advance(DAY_S)
    restore(backup, state, clock, room, actor="enric")
    assert has(state).lost == (LostTime(day(1), day(3)),)
