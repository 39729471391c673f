"""kill -9 at random instants under load: a short ``make chaos``, and a test that it notices faults."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from bench.killing.chaos import Chaos
from tests.rigs.daemon import PATIENCE_S
from tests.rigs.killing import killed
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

LOOPS = 4
# Use the oldest ones, because the last ones may have been stored but not acknowledged before the kill.
LOSE_A_REPORT = "DELETE FROM signals WHERE id = (SELECT min(id) FROM signals WHERE code = '602')"
CLOSE_A_CALL = """
UPDATE alarms SET state = 'closed' WHERE id = (SELECT min(id) FROM alarms WHERE state <> 'closed' AND priority = 0)
"""


def test_nothing_acknowledged_is_lost_by_kill_9() -> None:
    """Receivers are killed at random instants under load. Each acknowledged report is stored once and was acted on."""
    tally = killed("chaos", "--loops", str(LOOPS), "--terminals", "10")
    assert tally["loops"] == LOOPS
    assert tally["acknowledged"] > 0
    assert tally["repeats_recognised"] > 0
    assert tally["closed"] > 0


def test_the_comparison_finds_faults(tmp_path: Path) -> None:
    """The comparison fails if the journal lost a report, or an alarm was closed without an operator."""
    chaos = Chaos(tmp_path, terminals=5, seed=1)
    with chaos.load(), chaos.receiver():
        assert chaos.ledger.await_more(80, PATIENCE_S)
    with closing(sqlite3.connect(tmp_path / "state" / JOURNAL, isolation_level=None)) as connection:
        for tampering in (LOSE_A_REPORT, CLOSE_A_CALL):
            assert connection.execute(tampering).rowcount == 1
    with chaos.receiver():
        chaos.check(again=True)

    assert chaos.tally.missing == 1
    assert chaos.tally.calls_lost == 1
    assert chaos.tally.flaws > 0
