"""Old data are removed in small steps, and a round can end after any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import journal, report
from tests.rigs.removals import DAY_S, PLACE, days_of_signals, flaws, read, removed, terms
from vetlla.domain.clock import ManualClock
from vetlla.store.journal.retention import (
    CLOCK,
    ROWS_PER_STEP,
    round_of,
)
from vetlla.store.journal.rewriting import READ_MAX

if TYPE_CHECKING:
    from pathlib import Path


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
