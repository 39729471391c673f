"""A wrong clock makes nothing old, and stops no removal for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import arrival, journal, reject, report
from tests.rigs.removals import DAY_S, PLACE, believed, days_of_signals, flaws, note, read, removed, terms
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.retention import (
    CLOCK_AHEAD_US,
    LOOKED_PER_STEP,
    ROWS_PER_STEP,
    believed_by,
    believed_us,
    round_of,
)
from vetlla.store.journal.rows import reject_row

if TYPE_CHECKING:
    from pathlib import Path


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
def test_a_receiver_that_was_away_keeps_new_reports(tmp_path: Path, quiet_days: int, off_days: int) -> None:
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
