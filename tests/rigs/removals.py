"""Removes old signals, notes and rejects from a journal, and reads what is left."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.rigs import journal
from tests.rigs.journals import Scribe, alarm, report
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.removal import Terms, What
from vetlla.domain.signals import Position
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.batch import Entry, Note
from vetlla.store.journal.due import due
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.retention import (
    believed_us,
    round_of,
)

if TYPE_CHECKING:
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
    return [flaw.what for flaw in journal.flaws(directory)]


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


def close(batch: Batch, number: int, clock: ManualClock) -> None:
    """Close an alarm as an operator, with its audit record."""
    before = batch.alarms.get(number) or alarm(number, clock, opened_us=ManualClock().now().utc_us, chained_to=1)
    batch.alarms[number] = before._replace(state=State.CLOSED, closed_us=batch.began_us, outcome=AlarmOutcome.OTHER)
    detail: dict[str, object] = {"outcome": "other", "t2_us": None, "t3_us": None}
    batch.audit.append(Entry(batch.began_us, "maria", "close", f"alarm {number}", detail))
