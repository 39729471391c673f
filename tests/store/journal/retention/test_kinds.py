"""Each kind of data has its time, and what is in use is never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.journals import Scribe, alarm, arrival, journal, reject, report
from tests.rigs.removals import DAY_S, PLACE, close, days_of_signals, flaws, note, read, removed, terms
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.removal import What
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.due import due
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.rows import reject_row

if TYPE_CHECKING:
    from pathlib import Path


# --- by kind ----------------------------------------------------------------------------------------------------------


def test_each_kind_has_its_time(tmp_path: Path) -> None:
    """Places are removed first, with the bytes that contain them, then all bytes, then rows; younger rows stay."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 10, position=PLACE, details={"cells": "214-07", "flags": "1"})
        days_of_signals(scribe, 10, measurements={"battery": 80.0})
        kept = {"positions": 15, "raw": 5, "signals": 17}
        done = removed(scribe, **kept)
        assert flaws(tmp_path) == []
        again = removed(scribe, **kept)
    counted = {what: sum(step.removed for step in done if step.what is what) for what in What}
    assert counted == {What.POSITIONS: 5, What.RAW: 10, What.SIGNALS: 3, What.NOTES: 0, What.REJECTS: 0}
    assert sum(step.removed for step in again) == 0
    assert read(tmp_path, "SELECT min(id) FROM signals") == [4]
    assert read(tmp_path, "SELECT id FROM signals WHERE raw <> x'' ORDER BY id") == [16, 17, 18, 19, 20]
    places = "SELECT id FROM signals WHERE json_type(more, '$.position') = 'object'"
    assert read(tmp_path, places) == [6, 7, 8, 9, 10]
    assert read(tmp_path, "SELECT more FROM signals WHERE id = 5") == [
        '{"position": null, "measurements": {}, "details": {"flags": "1"}}'
    ]
    assert read(tmp_path, "SELECT count(*) FROM commits") == [17]
    assert flaws(tmp_path) == []


def test_notes_and_rejects_go_too(tmp_path: Path) -> None:
    """Rejects and notes have no digest; they are removed, and the audit counts them."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        for _ in range(5):
            batch = scribe.batch()
            batch.rejects.append(reject_row(arrival(clock), reject()))
            note(batch, 1, "speaking")
            scribe.write(batch)
            clock.advance(DAY_S)
        removed(scribe, notes=3, rejects=2)
    assert read(tmp_path, "SELECT id FROM notes") == [3, 4, 5]
    assert read(tmp_path, "SELECT id FROM rejects") == [4, 5]
    told = read(tmp_path, "SELECT subject FROM audit WHERE action = 'prune'")
    assert told == ["notes 1 to 2", "rejects 1 to 3"]
    at_us = ManualClock().now().utc_us + DAY_S * SECOND_US
    assert read(tmp_path, "SELECT json_extract(detail, '$.notes_of') FROM audit WHERE subject LIKE 'notes%'") == [
        f'{{"1":{at_us}}}'
    ]
    assert flaws(tmp_path) == []


def test_numbers_are_never_used_twice(tmp_path: Path) -> None:
    """The newest row stays, whatever its age, so the next signal and the next reject get the numbers after it."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 3)
        clock.advance(900 * DAY_S)
        removed(scribe, signals=1)
    assert read(tmp_path, "SELECT id FROM signals ORDER BY id") == [3]
    with journal(tmp_path, clock) as scribe:
        assert (scribe.next_signal, scribe.next_commit) == (4, 4)
        days_of_signals(scribe, 2)
    assert flaws(tmp_path) == []


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """A reader counts what a round would remove, by kind, and the round then removes exactly that."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 8, position=PLACE)
    kept = {"positions": 4, "raw": 6, "signals": 7}
    before = (tmp_path / JOURNAL).read_bytes()
    with Archive(tmp_path) as archive:
        found = {one.what: one for one in due(archive.read, terms(clock, **kept))}
    assert (tmp_path / JOURNAL).read_bytes() == before
    with journal(tmp_path, clock) as scribe:
        done = removed(scribe, positions=4)
        assert sum(step.removed for step in done) == found[What.POSITIONS].rows == 4
    assert (found[What.RAW].rows, found[What.SIGNALS].rows) == (2, 1)
    assert found[What.RAW].bytes == 2 * len(report(1).raw)
    assert found[What.RAW].oldest_us == ManualClock().now().utc_us


def test_removed_bytes_are_gone_from_the_file(tmp_path: Path) -> None:
    """Removed bytes are overwritten in the database, and the log that held them is emptied."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 40, raw=b"Carrer de la Marina 12")
        scribe.journal.empty_log()
        assert b"Marina" in (tmp_path / JOURNAL).read_bytes()
        removed(scribe, raw=1)
        scribe.commit(report(41))
        clock.advance(DAY_S * 2)
        removed(scribe, raw=1)
        assert scribe.journal.empty_log()
        assert b"Marina" not in (tmp_path / JOURNAL).read_bytes()
        assert (tmp_path / f"{JOURNAL}-wal").stat().st_size == 0


# --- data in use ------------------------------------------------------------------------------------------------------


def _alarms(scribe: Scribe, clock: ManualClock) -> None:
    """Store an open alarm that continues a closed one, and another closed one, with a signal and a note each."""
    for number, is_closed in ((1, True), (2, False), (3, True)):
        batch = scribe.signals([report(number)], alarm=number)
        batch.alarms[number] = alarm(number, clock, chained_to=1 if number == 2 else None)
        batch.audit.append(Entry(batch.began_us, "receiver", "open", f"alarm {number}", {}))
        note(batch, number, "fell in the bath")
        if is_closed:
            close(batch, number, clock)
        scribe.write(batch)
    clock.advance(100 * DAY_S)
    batch = scribe.signals([report(3)])
    note(batch, 3, "the newest")
    scribe.write(batch)


def test_open_alarms_and_the_alarms_that_they_continue_are_kept(tmp_path: Path) -> None:
    """Signals and notes of an open alarm, and of the alarm that it continues, stay until the open alarm is over."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        _alarms(scribe, clock)
        removed(scribe, raw=1, signals=2, notes=2)
        assert read(tmp_path, "SELECT id FROM signals WHERE alarm_id ORDER BY id") == [1, 2]
        assert read(tmp_path, "SELECT id FROM signals WHERE alarm_id AND raw <> x''") == [1, 2]
        assert read(tmp_path, "SELECT alarm_id FROM notes") == [1, 2, 3]
        with Archive(tmp_path) as archive:
            assert [one.rows for one in due(archive.read, terms(clock, notes=2))] == [0]
        batch = scribe.batch()
        close(batch, 2, clock)
        scribe.write(batch)
        removed(scribe, raw=1, signals=2, notes=2)
        assert read(tmp_path, "SELECT id FROM signals WHERE alarm_id ORDER BY id") == [
            1,
            2,
        ]  # its emergency is not over
        clock.advance(3_600)
        removed(scribe, raw=1, signals=2, notes=2)
    assert read(tmp_path, "SELECT id FROM signals WHERE alarm_id ORDER BY id") == []
    assert read(tmp_path, "SELECT count(*) FROM held_back") == [0]
    assert flaws(tmp_path) == []


def test_alarms_stay_with_their_figures(tmp_path: Path) -> None:
    """The figures that prove t2 and t3 stay when the signals are removed."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        _alarms(scribe, clock)
        removed(scribe, signals=2, notes=2)
    assert read(tmp_path, "SELECT id FROM alarms") == [1, 2, 3]
