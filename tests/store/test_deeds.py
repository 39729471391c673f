"""An alarm, a note or a test that a hand changed, and no record tells of: the check of the chain finds it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.store.journals import alarm, journal, report
from vetlla.alarms import State
from vetlla.clock import ManualClock
from vetlla.signals import Priority
from vetlla.store.archive import Archive
from vetlla.store.audit import verify
from vetlla.store.batch import Entry, Note
from vetlla.store.deeds import text_digest
from vetlla.store.inspection import inspect
from vetlla.store.journal import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.journals import Scribe

CLOCK = ManualClock()


def work(scribe: Scribe, number: int) -> None:
    """Let an alarm be opened, and noted on."""
    now = CLOCK.now().utc_us
    batch = scribe.signals([report(number)], home="H-0001", alarm=number)
    batch.alarms[number] = alarm(number, CLOCK, priority=Priority.TECHNICAL)
    batch.decided.append(Entry(now, "receiver", "open", f"alarm {number}", {"priority": "TECHNICAL"}))
    scribe.write(batch)
    CLOCK.advance(1)
    now = CLOCK.now().utc_us
    batch = scribe.batch()
    batch.alarms[number] = alarm(number, CLOCK, opened_us=now - 1_000_000, established_us=0, priority=Priority.LIFE)
    batch.decided.append(Entry(now, "receiver", "lift", f"alarm {number}", {"to": "LIFE"}))
    batch.notes.append(Note(number, now, "maria", "the neighbour has a key"))
    detail: dict[str, object] = {"sha256": text_digest("the neighbour has a key")}
    batch.audit.append(Entry(now, "maria", "note", f"alarm {number}", detail))
    scribe.write(batch)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a journal of two open LIFE alarms with a note each."""
    with journal(tmp_path, CLOCK) as scribe:
        work(scribe, 1)
        work(scribe, 2)
    assert list(inspect(tmp_path, CLOCK)) == []
    return tmp_path


def tamper(state: Path, sql: str) -> None:
    with closing(sqlite3.connect(state / JOURNAL, isolation_level=None)) as connection:
        assert connection.execute(sql).rowcount > 0


CLOSE = "UPDATE alarms SET state = 'closed', closed_us = 1, outcome = 'false_alarm' WHERE id = 2"
NOTE = "INSERT INTO notes (alarm_id, at_us, operator, text) VALUES (2, 5, 'maria', 'handled')"
COPY = """
INSERT INTO alarms (id, home, account, kind, priority, why, first_signal, established_us, opened_us, boot,
    unknown_account, on_test, runaway, escalated, state, operator)
SELECT 3, home, account, kind, priority, why, first_signal, established_us, opened_us, boot,
    unknown_account, on_test, runaway, escalated, state, operator FROM alarms WHERE id = 2
"""


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        (CLOSE, "alarm 2: is closed, and no record says who closed it"),
        ("UPDATE alarms SET state = 'closed' WHERE id = 1", "alarm 1: is closed, and no record"),
        ("UPDATE alarms SET state = 'answered', answered_us = 7 WHERE id = 2", "alarm 2: is answered, and no record"),
        ("UPDATE alarms SET priority = 3 WHERE id = 2", "alarm 2: its priority is not the one"),
        ("DELETE FROM alarms WHERE id = 2", "alarm 2 is missing"),
        (COPY, "alarm 3: no record says that it was opened"),
        (
            "UPDATE notes SET text = 'false alarm' WHERE alarm_id = 2",
            "alarm 2: a note of maria is not what was written",
        ),
        ("UPDATE notes SET operator = 'pere' WHERE alarm_id = 2", "alarm 2: a note of maria is missing"),
        ("DELETE FROM notes WHERE alarm_id = 2", "alarm 2: a note of maria is missing"),
        (NOTE, "1 notes are there that no record tells of"),
    ],
)
def test_what_a_hand_does_to_an_open_call_is_damage(state: Path, sql: str, what: str) -> None:
    """`vetlla db verify` called a journal whole whose open LIFE alarm a hand had closed: no operator ever saw it."""
    tamper(state, sql)
    assert any(what in damage.what for damage in inspect(state, CLOCK))


def put_on_test(state: Path, values: str) -> None:
    """Put a home on test behind the receiver's back, whatever columns the schema has."""
    with closing(sqlite3.connect(state / JOURNAL, isolation_level=None)) as connection:
        known = {"account": "'0001'", "since_us": "5", "until_us": "9999", "operator": "'eva'", "reason": "'x'"}
        known |= dict(part.split("=") for part in values.split() if part)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(on_test)")]
        said = ", ".join(known.get(column, "0") for column in columns)
        connection.execute(f"INSERT INTO on_test VALUES ({said})")


def test_a_home_that_a_hand_put_on_test_is_damage(state: Path) -> None:
    """Its calls would stand apart until the test's end, and no record says who ordered that."""
    put_on_test(state, "")
    (damage,) = inspect(state, CLOCK)
    assert "account 0001: is on test, and no record says who ordered it so" in damage.what


def test_a_test_that_a_hand_made_longer_is_damage(state: Path) -> None:
    """Ordered for a minute, and the row says a year."""
    with journal(state, CLOCK) as scribe:
        batch = scribe.batch()
        batch.audit.append(Entry(5, "eva", "test", "account 0001", {"seconds": 60, "reason": "x"}))
        scribe.write(batch)
    put_on_test(state, "until_us=60000005")
    assert list(inspect(state, CLOCK)) == []
    tamper(state, "UPDATE on_test SET until_us = 1000 * until_us")
    (damage,) = inspect(state, CLOCK)
    assert "is on test" in damage.what


def test_what_is_worked_meanwhile_is_no_damage(state: Path) -> None:
    """An operator closes an alarm while the chain is checked."""
    with journal(state, CLOCK) as scribe, Archive(state) as archive:

        def close(_: int, __: int) -> None:
            now = CLOCK.now().utc_us
            batch = scribe.batch()
            batch.alarms[1] = alarm(1, CLOCK, state=State.CLOSED, closed_us=now, answered_us=now)
            for action in ("answer", "close", "note"):
                batch.audit.append(Entry(now, "maria", action, "alarm 1", {}))
            batch.notes.append(Note(1, now, "maria", "done"))
            scribe.write(batch)
            work(scribe, 3)

        assert list(verify(archive.read, close)) == []


def test_a_journal_of_many_closed_alarms_costs_no_memory(tmp_path: Path) -> None:
    """Only what is open is remembered: numbers that follow each other are one run."""
    with journal(tmp_path, CLOCK) as scribe:
        for number in range(1, 50):
            work(scribe, number)
            now = CLOCK.now().utc_us
            batch = scribe.batch()
            closed = alarm(
                number, CLOCK, state=State.CLOSED, opened_us=now - 1_000_000, closed_us=now, priority=Priority.LIFE
            )
            batch.alarms[number] = closed
            batch.audit.append(Entry(now, "maria", "close", f"alarm {number}", {}))
            scribe.write(batch)
    assert list(inspect(tmp_path, CLOCK)) == []
