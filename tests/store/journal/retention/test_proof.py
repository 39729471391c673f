"""The audit proves what remains after a removal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import Scribe, alarm, arrival, journal, report
from tests.rigs.removals import DAY_S, PLACE, by_hand, close, days_of_signals, flaws, note, read, removed
from vetlla.domain.clock import ManualClock
from vetlla.store.journal.audit import GENESIS, Head, chain
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.rows import SIGNAL_COLUMNS, digest
from vetlla.store.sqlite.migrate import apply, migrations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
def test_tampering_is_found_after_a_removal(tmp_path: Path, tampering: str, found: list[str]) -> None:
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
def test_a_removal_hides_no_change(tmp_path: Path, tampering: str) -> None:
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


def test_a_forged_table_hides_no_change(tmp_path: Path) -> None:
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


def test_ranges_that_cut_through_others_are_reported(tmp_path: Path) -> None:
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


def test_a_journal_of_the_previous_schema(tmp_path: Path) -> None:
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


def test_a_note_removed_by_hand_is_found(tmp_path: Path) -> None:
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
