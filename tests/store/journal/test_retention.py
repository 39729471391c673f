"""Removal of old data: in small steps, by kind, never while it is in use; the audit proves what remains."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import Scribe, alarm, arrival, journal, reject, report
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.removal import Terms, What
from vetlla.domain.signals import Position
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import GENESIS, Head, chain, verify
from vetlla.store.journal.batch import Entry, Note
from vetlla.store.journal.due import due
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.retention import (
    CLOCK,
    CLOCK_AHEAD_US,
    LOOKED_PER_STEP,
    ROWS_PER_STEP,
    believed_by,
    believed_us,
    round_of,
)
from vetlla.store.journal.rewriting import READ_MAX
from vetlla.store.journal.rows import SIGNAL_COLUMNS, digest, reject_row
from vetlla.store.sqlite.migrate import apply, migrations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.journal import Journal
    from vetlla.store.journal.retention import Step

DAY_S = 86_400
EMERGENCY_US = 2_700 * SECOND_US
PLACE = Position(latitude=41.38, longitude=2.17, accuracy_m=None, altitude_m=None, source="gps", at=None)


def terms(clock: Clock, **days: int) -> Terms:
    """Return the terms of a round; a kind that is not named is kept for ever."""
    keep_us = {What(name): count * DAY_S * SECOND_US for name, count in days.items()}
    return Terms(clock.now().utc_us, keep_us, EMERGENCY_US)


def removed(scribe: Scribe, **days: int) -> list[Step]:
    """Do a round to its end; return its steps."""
    return list(steps(scribe.journal, scribe.clock, **days))


def steps(opened: Journal, clock: Clock, **days: int) -> list[Step]:
    """Do a round to its end; return its steps."""
    done, work = [], round_of(opened.connection, terms(clock, **days), clock)
    while (step := opened.take(work)) is not None:
        done.append(step)
    return done


def believed(scribe: Scribe, **days: int) -> list[Step]:
    """Do a round with the instant that the receiver believes; return its steps."""
    connection, wall_us = scribe.journal.connection, scribe.clock.now().utc_us
    kept = terms(scribe.clock, **days)._replace(now_us=believed_us(connection, wall_us, 0), wall_us=wall_us)
    with Archive(scribe.journal.path.parent) as archive:
        would = {one.what: one.rows for one in due(archive.read, kept)}
    done, work = [], round_of(connection, kept, scribe.clock)
    while (step := scribe.journal.take(work)) is not None:
        done.append(step)
    assert {what: sum(step.removed for step in done if step.what is what) for what in would} == would
    return done


def note(batch: Batch, number: int, text: str) -> None:
    """Add a note of an operator with its audit record."""
    batch.notes.append(Note(number, batch.began_us, "maria", text))
    batch.audit.append(Entry(batch.began_us, "maria", "note", f"alarm {number}", {}))


def flaws(directory: Path) -> list[str]:
    """Return the flaws that an audit finds."""
    with Archive(directory) as archive:
        return [flaw.what for flaw in verify(archive.read)]


def read(directory: Path, sql: str, *values: Any) -> list[Any]:  # noqa: ANN401 - what SQLite takes
    """Return the first column of a query of the journal."""
    with Archive(directory) as archive:
        return [row[0] for row in archive.read(sql, values)]


def by_hand(directory: Path, *statements: str) -> None:
    """Change the journal in a way that no receiver does."""
    with closing(sqlite3.connect(directory / JOURNAL, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS signals_stay_update")
        for sql in statements:
            assert connection.execute(sql).rowcount


def days_of_signals(scribe: Scribe, count: int, **said: Any) -> None:  # noqa: ANN401 - fields of a signal
    """Store one signal on each day."""
    clock = scribe.clock
    assert isinstance(clock, ManualClock)
    for number in range(scribe.next_signal, scribe.next_signal + count):
        scribe.commit(report(number, **said))
        clock.advance(DAY_S)


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


def test_what_is_removed_is_gone_from_the_file(tmp_path: Path) -> None:
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


# --- in small steps ---------------------------------------------------------------------------------------------------


def test_a_step_is_bounded(tmp_path: Path) -> None:
    """No transaction removes more rows than the bound, however many are too old and however large their commits."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        scribe.commit(*[report(number) for number in range(1_000)])
        for number in range(450):
            scribe.commit(report(number))
        clock.advance(2 * DAY_S)
        scribe.commit(report(1))
        for kind in ("raw", "signals"):
            done = removed(scribe, **{kind: 1})
            assert max(step.removed for step in done) <= ROWS_PER_STEP
            assert sum(step.removed for step in done) == 1_450
            assert flaws(tmp_path) == []


def test_a_step_reads_little(tmp_path: Path) -> None:
    """Signals far apart in large commits are removed in steps of few commits, so the compared rows are bounded too."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        for _ in range(6):
            placed = report(1, position=PLACE)
            scribe.commit(*[report(number) for number in range(999)], placed)
        clock.advance(2 * DAY_S)
        scribe.commit(report(1))
        done = [step for step in removed(scribe, positions=1) if step.removed]
        assert [step.removed for step in done] == [1] * 6
        assert max(sum(one.last - one.first + 1 for one in step.ranges) for step in done) <= READ_MAX
    assert flaws(tmp_path) == []


def test_a_round_can_end_anywhere(tmp_path: Path) -> None:
    """A kill between two steps leaves a journal without flaws, and the next round goes on."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        for number in range(700):
            scribe.commit(report(number, position=PLACE))
        clock.advance(40 * DAY_S)
        scribe.commit(report(1))
    taken = 0
    for _ in range(100):
        with journal(tmp_path, clock) as scribe:
            work = round_of(scribe.journal.connection, terms(clock, positions=30, raw=35, signals=39), clock)
            step = scribe.journal.take(work)
            taken += step.removed if step else 0
        assert flaws(tmp_path) == []
        if step is None or step.what == CLOCK:
            break
    assert read(tmp_path, "SELECT id FROM signals ORDER BY id") == [701]
    assert taken == 1_400  # no raw bytes were left when their turn came


def test_a_step_that_breaks_leaves_all_as_it_was(tmp_path: Path) -> None:
    """The rows, their record and the position of the round are all rolled back, and commits go on."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 5)

        def broken() -> Any:  # noqa: ANN401 - an iterator of steps
            for step in round_of(scribe.journal.connection, terms(clock, raw=1), clock):
                assert step.removed
                raise RuntimeError("told to")
            yield

        with pytest.raises(RuntimeError):
            scribe.journal.take(broken())
        scribe.commit(report(6))
        assert read(tmp_path, "SELECT count(*) FROM signals WHERE raw = x''") == [0]
        assert flaws(tmp_path) == []
        assert sum(step.removed for step in removed(scribe, raw=1)) == 4


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


def close(batch: Batch, number: int, clock: ManualClock) -> None:
    """Close an alarm as an operator, with its audit record."""
    before = batch.alarms.get(number) or alarm(number, clock, opened_us=ManualClock().now().utc_us, chained_to=1)
    batch.alarms[number] = before._replace(state=State.CLOSED, closed_us=batch.began_us, outcome=AlarmOutcome.OTHER)
    detail: dict[str, object] = {"outcome": "other", "t2_us": None, "t3_us": None}
    batch.audit.append(Entry(batch.began_us, "maria", "close", f"alarm {number}", detail))


def test_open_alarms_and_what_they_continue_are_held_back(tmp_path: Path) -> None:
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


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_a_clock_that_was_behind_makes_nothing_old(tmp_path: Path) -> None:
    """A report of today that was stamped 1970 stays, because the rows before it are young."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 3)
        clock.step_wall(-40 * 365 * DAY_S)
        scribe.commit(report(4))
        clock.step_wall(40 * 365 * DAY_S)
        scribe.commit(report(5))
        removed(scribe, signals=10)
    assert read(tmp_path, "SELECT count(*) FROM signals") == [5]


def test_a_clock_that_was_ahead_stops_no_removal(tmp_path: Path) -> None:
    """A future stamp does not end the walk: later rows are removed in their time, and its row with the next of them."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        clock.step_wall(3_650 * DAY_S)
        scribe.commit(report(1))
        clock.step_wall(-3_650 * DAY_S)
        days_of_signals(scribe, 10)
        removed(scribe, signals=10)
        assert read(tmp_path, "SELECT min(id) FROM signals") == [1]
        days_of_signals(scribe, 10)
        removed(scribe, signals=10)
    assert read(tmp_path, "SELECT min(id) FROM signals") == [12]


def test_a_clock_that_was_ahead_for_long(tmp_path: Path) -> None:
    """If there are more future stamps than one step reads, all of these rows are removed with the first later row."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        clock.step_wall(3_650 * DAY_S)
        for number in range(2):
            scribe.commit(*[report(number) for number in range(LOOKED_PER_STEP)])
        clock.step_wall(-3_650 * DAY_S)
        days_of_signals(scribe, 2)
        assert not any(step.removed for step in believed(scribe, signals=3))
        clock.advance(DAY_S + 1)
        done = believed(scribe, signals=3)
        assert max(step.removed for step in done) <= ROWS_PER_STEP
        assert [step.upto_us for step in done if step.upto_us] == [ManualClock().now().utc_us]
    assert read(tmp_path, "SELECT id FROM signals") == [2 * LOOKED_PER_STEP + 2]
    assert flaws(tmp_path) == []


@pytest.mark.parametrize("ahead_s", [3_600, 3_650 * DAY_S])
def test_a_clock_that_is_set_back_makes_nothing_old(tmp_path: Path, ahead_s: int) -> None:
    """A row that was stamped an hour or years ahead of the present clock stays until later rows are too old."""
    clock = ManualClock()
    kept = {"positions": 30, "raw": 183, "signals": 730, "notes": 730, "rejects": 183}
    with journal(tmp_path, clock) as scribe:
        clock.step_wall(ahead_s)
        for number in range(5):
            batch = scribe.signals([report(number, position=PLACE)])
            batch.rejects.append(reject_row(arrival(clock), reject()))
            note(batch, 1, "speaking")
            scribe.write(batch)
        clock.step_wall(-ahead_s)
        clock.advance(1)
        assert not any(step.removed for step in believed(scribe, **kept))
        days_of_signals(scribe, 2, position=PLACE)
        assert not any(step.removed for step in believed(scribe, **kept))
        for table in ("signals", "notes", "rejects"):
            assert read(tmp_path, f"SELECT count(*) FROM {table} WHERE id <= 5") == [5]
        clock.advance(29 * DAY_S)
        assert sum(step.removed for step in removed(scribe, **kept)) == 6
    assert read(tmp_path, "SELECT id FROM signals WHERE json_type(more, '$.position') = 'object'") == [7]


@pytest.mark.parametrize("quiet_days", [0, 31])
@pytest.mark.parametrize("off_days", [8, 60])
def test_a_receiver_that_was_away_keeps_what_comes(tmp_path: Path, quiet_days: int, off_days: int) -> None:
    """The round then uses an instant before today, but the stamps of today's reports do not count as future ones."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 2, position=PLACE)
        for _ in range(quiet_days):
            believed(scribe, positions=30)
            clock.advance(DAY_S)
        believed(scribe, positions=30)
        clock.advance(off_days * DAY_S)
        for number in range(3, 8):
            scribe.commit(report(number, position=PLACE))
            clock.advance(1)
        places = "SELECT id FROM signals WHERE json_type(more, '$.position') = 'object' AND id > 2"
        for _ in range(29):
            believed(scribe, positions=30)
            assert read(tmp_path, places) == [3, 4, 5, 6, 7]
            clock.advance(DAY_S)
        clock.advance(2 * DAY_S)
        scribe.commit(report(8, position=PLACE))
        believed(scribe, positions=30)
        assert read(tmp_path, places) == [8]
    assert flaws(tmp_path) == []


@pytest.mark.parametrize("quiet_days", [5, 31])
def test_a_clock_that_was_behind_after_a_quiet_time(tmp_path: Path, quiet_days: int) -> None:
    """A stamp long before the removed rows is not believed; its row is removed with the next one after it."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 10, position=PLACE)
        for _ in range(quiet_days):
            believed(scribe, positions=5)
            clock.advance(DAY_S)
        clock.step_wall(-365 * DAY_S)
        for number in range(11, 14):
            scribe.commit(report(number, position=PLACE))
        clock.step_wall(365 * DAY_S)
        scribe.commit(report(14, position=PLACE))
        places = "SELECT id FROM signals WHERE json_type(more, '$.position') = 'object' AND id > 10"
        for _ in range(5):
            believed(scribe, positions=5)
            assert read(tmp_path, places) == [11, 12, 13, 14]
            clock.advance(DAY_S)
        clock.advance(1)
        scribe.commit(report(15, position=PLACE))
        believed(scribe, positions=5)
        assert read(tmp_path, places) == [15]
    assert flaws(tmp_path) == []


def test_a_clock_that_was_ahead_in_a_round(tmp_path: Path) -> None:
    """A removal while the clock was years ahead does not make correct stamps unbelievable."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        clock.step_wall(3_650 * DAY_S)
        days_of_signals(scribe, 3)
        clock.advance(10 * DAY_S)
        removed(scribe, signals=10)
        clock.step_wall(-3_650 * DAY_S)
        days_of_signals(scribe, 20)
        removed(scribe, signals=10)
    assert read(tmp_path, "SELECT min(id) FROM signals") == [14]


def test_a_clock_behind_for_one_report_ends_no_absence(tmp_path: Path) -> None:
    """After the receiver was off, reports have stamps that the round does not believe yet, but no future ones."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        scribe.commit(report(1))
        clock.advance(60 * DAY_S)
        scribe.commit(report(2, position=PLACE))
        clock.step_wall(-55 * DAY_S)
        scribe.commit(report(3, position=PLACE))
        clock.step_wall(55 * DAY_S)
        scribe.commit(report(4))
        kept = terms(clock, positions=30)
        kept = kept._replace(now_us=kept.now_us - 20 * DAY_S * SECOND_US, wall_us=kept.now_us)
        work = round_of(scribe.journal.connection, kept, clock)
        while scribe.journal.take(work) is not None:
            pass
    assert read(tmp_path, "SELECT id FROM signals WHERE json_type(more, '$.position') = 'object'") == [2, 3]


def test_a_clock_that_is_years_behind_removes_nothing(tmp_path: Path) -> None:
    """Then all stamps are in the future. When the clock is right again, the walk goes on where it was."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 20)
        clock.step_wall(-40 * 365 * DAY_S)
        assert not any(step.removed for step in believed(scribe, signals=10))
        clock.step_wall(40 * 365 * DAY_S)
        removed(scribe, signals=10)
    assert read(tmp_path, "SELECT min(id) FROM signals") == [11]


def test_a_clock_that_jumps_empties_no_journal(tmp_path: Path) -> None:
    """A wall clock that is set to another year counts as a week ahead, in the first round and in later ones."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 20)
        first_us = clock.now().utc_us
        newest_us = first_us - DAY_S * SECOND_US
        jumped_us = first_us + 3_650 * DAY_S * SECOND_US
        connection = scribe.journal.connection
        assert believed_us(connection, jumped_us, 0) == newest_us + CLOCK_AHEAD_US
        removed(scribe, signals=10)
        assert believed_us(connection, jumped_us, 5) == first_us + CLOCK_AHEAD_US + 5
        assert believed_us(connection, first_us - 7, 0) == first_us - 7
        with Archive(tmp_path) as archive:
            assert believed_by(archive.read, jumped_us) == first_us + CLOCK_AHEAD_US


# --- the proof --------------------------------------------------------------------------------------------------------

LOST = "DELETE FROM signals WHERE id = 6"
CHANGED = "UPDATE signals SET code = '602' WHERE id = 6"
ADDED = f"INSERT INTO signals SELECT 1, {', '.join(SIGNAL_COLUMNS[1:])} FROM signals WHERE id = 6"
PUT_BACK = "UPDATE signals SET raw = x'41' WHERE id = 6"


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        (LOST, ["signals 4 to 8 are not those that a removal left"]),
        (CHANGED, ["signals 4 to 8 are not those that a removal left"]),
        (PUT_BACK, ["signals 4 to 8 are not those that a removal left"]),
        (ADDED, ["signals 1 to 3 are not those that a removal left"]),
        ("UPDATE signals SET code = '602' WHERE id = 9", ["signals 9 to 9 are not those that were committed"]),
    ],
)
def test_tampering_shows_behind_a_removal(tmp_path: Path, tampering: str, found: list[str]) -> None:
    """A row that was deleted, changed, filled again or added by hand is found, in emptied and in remaining ranges."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 10)
        removed(scribe, signals=7)
        removed(scribe, raw=2)
    assert flaws(tmp_path) == []
    by_hand(tmp_path, tampering)
    assert flaws(tmp_path) == found


@pytest.mark.parametrize("tampering", [LOST, CHANGED])
def test_a_removal_launders_nothing(tmp_path: Path, tampering: str) -> None:
    """Signals that were changed by hand stay, and every later audit finds them; their neighbours are removed."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 10)
    by_hand(tmp_path, tampering)
    with journal(tmp_path, clock) as scribe:
        done = removed(scribe, raw=1, signals=2)
    told = [(one.first, one.last) for step in done for one in step.refused]
    assert set(told) <= {(6, 6)}
    assert flaws(tmp_path) == ["signals 6 to 6 are not those that were committed"]
    rest = [6] if tampering is CHANGED else []
    assert read(tmp_path, "SELECT id FROM signals ORDER BY id") == [*rest, 9, 10]


def test_a_forged_table_launders_nothing(tmp_path: Path) -> None:
    """A table says which record holds a digest, but the digest itself comes only from the audit chain."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 10)
        removed(scribe, raw=5)
    by_hand(
        tmp_path,
        "UPDATE signals SET code = '602' WHERE id = 3",
        "UPDATE removals SET record = (SELECT max(id) FROM audit WHERE action = 'commit')",
    )
    with journal(tmp_path, clock) as scribe:
        removed(scribe, raw=1, signals=2)
    assert "signals 1 to 5 are not those that a removal left" in flaws(tmp_path)


def test_records_of_removals_are_of_the_chain(tmp_path: Path) -> None:
    """A record of a removal cannot name signals that were not committed by then."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 4)
        batch = scribe.batch()
        names: Mapping[str, object] = {"what": "raw", "count": 1, "ranges": [[3, 9, digest(())]]}
        batch.audit.append(Entry(clock.now().utc_us, "receiver", "prune", "signals 3 to 9", dict(names)))
        scribe.write(batch)
    assert flaws(tmp_path) == ["it names signals up to 9, of which only 4 were committed by then"]


def test_ranges_that_cut_through_others_are_told(tmp_path: Path) -> None:
    """A removal covers whole ranges, so the receiver never writes one that cuts through a commit or a removal."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        scribe.commit(report(1), report(2), report(3), report(4))
        for ranges in ([[1, 2, digest(())]], [[2, 3, digest(())]]):
            batch = scribe.batch()
            batch.audit.append(
                Entry(clock.now().utc_us, "receiver", "prune", "signals", {"what": "raw", "count": 1, "ranges": ranges})
            )
            scribe.write(batch)
    told = flaws(tmp_path)
    assert "its range 2 to 3 cuts through 1 to 2" in told
    assert "a removal cuts through signals 1 to 4" in told


def test_a_journal_of_the_schema_before(tmp_path: Path) -> None:
    """The migration keeps signals and alarms as they were. After it they can be emptied but not changed."""
    clock = ManualClock()
    with closing(sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)) as connection:
        apply(connection, [step for step in migrations("journal") if step.number < 8], clock)
    with closing(sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        rows, head = chain(Head(0, GENESIS), [])
        row = Scribe.row(None, report(1), arrival(clock), 1, 1)  # type: ignore[arg-type] # it needs no journal
        connection.execute(f"INSERT INTO signals VALUES ({', '.join('?' * len(row))})", row)
        detail: dict[str, object] = {"first": 1, "last": 1, "digest": digest([row])}
        rows, _ = chain(head, [Entry(clock.now().utc_us, "receiver", "commit", "commit 1", detail)])
        connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", rows[0])
    with journal(tmp_path, clock) as scribe:
        assert read(tmp_path, "SELECT count(*) FROM signals WHERE raw <> x''") == [1]
        clock.advance(10 * DAY_S)
        scribe.commit(report(2))
        removed(scribe, raw=1)
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            scribe.journal.connection.execute("UPDATE signals SET code = '1' WHERE id = 1")
    assert read(tmp_path, "SELECT id FROM signals WHERE raw = x''") == [1]
    assert flaws(tmp_path) == []


def test_signals_cannot_be_changed_by_accident(tmp_path: Path) -> None:
    """A trigger allows a column to be emptied, but never to be filled or replaced."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        days_of_signals(scribe, 2, text="fell", position=PLACE)
        connection = scribe.journal.connection
        connection.execute("UPDATE signals SET text = '', raw = x'', more = NULL WHERE id = 1")
        for change in ("text = 'stood'", "raw = x'42'", "received_us = 1", "alarm_id = 5", "kind = 'fire'", "id = 9"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection.execute(f"UPDATE signals SET {change} WHERE id = 2")


def test_a_note_taken_out_by_hand_is_no_removal(tmp_path: Path) -> None:
    """A note that was removed for its age is not missing, but a younger one that was removed by hand is."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        for number in range(1, 4):
            batch = scribe.signals([report(number)], alarm=number)
            batch.alarms[number] = alarm(number, clock)
            batch.audit.append(Entry(batch.began_us, "receiver", "open", f"alarm {number}", {}))
            note(batch, number, "fell in the bath")
            close(batch, number, clock)
            scribe.write(batch)
            clock.advance(DAY_S)
        removed(scribe, notes=2)
    assert flaws(tmp_path) == []
    by_hand(tmp_path, "DELETE FROM notes WHERE alarm_id = 2")
    assert flaws(tmp_path) == ["alarm 2: a note of maria is missing"]
