"""The history of supervision in the archive: days of the ledger, incidents and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import journal
from vetlla.domain.errors import StoreError
from vetlla.domain.supervision import STRETCH, DayOf, KeptChange, KeptDevice, KeptIncident, LedgerDay, Stretch
from vetlla.store.journal.archive import Archive
from vetlla.store.supervision import history

if TYPE_CHECKING:
    from pathlib import Path

LOST, OK = 3, 1


def unit(number: int, device: str = "") -> KeptDevice:
    return KeptDevice(number, f"{number:04}", "", "", device, OK, 1, 1, 0, 900, 3, "", 0, 0, 0, 0)


def verdict(at_us: int, number: int, before: int, state: int, incident: int | None = 1) -> KeptChange:
    return KeptChange(at_us, number, before, state, 0, 0, 3, incident, None)


def test_a_stretch_s_days_are_read_apart(tmp_path: Path) -> None:
    """Only devices that were in the fleet are read, by day and stretch, with their names."""
    stretch = Stretch(1)
    day = DayOf(STRETCH + 7, 900, 3, 86_400, 96, 901, 0, OK)
    stretch.put(day)
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.supervision.units += [unit(3), unit(STRETCH + 7, "ucr-7")]
        batch.supervision.add_stretch("2026-11-02", stretch)
        batch.supervision.add_stretch("2026-12-01", stretch)
        batch.supervision.days += [LedgerDay("2026-11-02", 60, 5.0), LedgerDay("2026-11-03", 0, 5.0)]
        scribe.write(batch)
    with Archive(tmp_path) as archive:
        assert history.days(archive, "2026-11-01", "2026-11-30") == [history.RecordedDay("2026-11-02", 60, 5.0)]
        assert history.stretches(archive) == 2
        assert history.named(archive, 1) == {STRETCH + 7: history.Named(f"{STRETCH + 7:04}", "", "", "ucr-7")}
        assert list(history.day_of(archive, "2026-11-02", 1)) == [day]
        assert list(history.day_of(archive, "2026-11-02", 0)) == []


def test_a_damaged_stretch_is_reported(tmp_path: Path) -> None:
    """A row that cannot be read is an error, because it proves nothing."""
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.supervision.stretches.append(("2026-11-02", 0, b"torn"))
        scribe.write(batch)
    with Archive(tmp_path) as archive, pytest.raises(StoreError, match="stretch 0 is damaged"):
        list(history.day_of(archive, "2026-11-02", 0))


def test_an_empty_journal_has_no_fleet(tmp_path: Path) -> None:
    """An empty journal gives empty results and no error."""
    with journal(tmp_path):
        pass
    with Archive(tmp_path) as archive:
        assert history.stretches(archive) == 0
        assert history.days(archive, "2026-01-01", "2026-12-31") == []
        assert history.incidents(archive, 10) == []
        assert history.incident(archive, 1) is None


def test_members_with_their_way_through_an_incident(tmp_path: Path) -> None:
    """Each member has its first loss and last return; one that was lost again is not back. Pages skip no member."""
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.supervision.units += [unit(number) for number in range(5)]
        batch.supervision.incidents += [
            KeptIncident(1, "cell:1", 10, 90, 3, 5, 7),
            KeptIncident(2, "operator:example", 95, None, 10, 1, None),
        ]
        batch.supervision.verdicts += [
            *(verdict(10 + number, number, OK, LOST) for number in range(5)),
            verdict(50, 1, LOST, OK),
            verdict(60, 2, LOST, OK),
            verdict(70, 2, OK, LOST),
            verdict(99, 0, OK, LOST, incident=2),
        ]
        scribe.write(batch)
    with Archive(tmp_path) as archive:
        found = [(one.unit, one.lost_us, one.back_us) for one in history.members(archive, 1, page=2)]
        assert found == [(0, 10, None), (1, 11, 50), (2, 12, None), (3, 13, None), (4, 14, None)]
        assert [one.id for one in history.incidents(archive, 10)] == [1, 2]
        assert [one.id for one in history.incidents(archive, 1)] == [2]
        assert [one.id for one in history.incidents(archive, 10, since_us=91)] == [2]
        assert history.incident(archive, 1) == history.PastIncident(1, "cell:1", 10, 90, 5, 7)
