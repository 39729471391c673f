"""The check of the audit chain finds an alarm, a note or a test that was changed by hand without a record."""

# ruff: noqa: ANN401 - a test may set any field of a value

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import alarm, journal, report
from vetlla.domain.alarms import State
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import Flag, Priority
from vetlla.store.backups.inspection import inspect
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import verify
from vetlla.store.journal.audit_comparison import text_digest
from vetlla.store.journal.batch import Entry, Note
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.journals import Scribe
    from vetlla.domain.alarms import Alarm

CLOCK = ManualClock()
ON_TEST, UNKNOWN = Flag.ON_TEST.value, Flag.UNKNOWN_ACCOUNT.value


def worked(number: int, **values: Any) -> Alarm:
    """Return the alarm with this number, which the report with the same number opened."""
    return alarm(number, CLOCK, account=report(number).id.account, first_signal=number, **values)


def open_alarm(scribe: Scribe, number: int, flags: int = 0, **values: Any) -> Alarm:
    """Let a report open an alarm; return it."""
    batch = scribe.signals([report(number)], home="H-0001", alarm=number, flags=flags)
    batch.alarms[number] = opened = worked(number, **values)
    detail: dict[str, object] = {"kind": opened.kind.value, "priority": opened.priority.name, "signal": number}
    batch.decided.append(Entry(opened.opened_us, "receiver", "open", f"alarm {number}", detail))
    scribe.write(batch)
    return opened


def escalate(scribe: Scribe, changed: Alarm, why: str, actor: str = "receiver") -> None:
    """Escalate an alarm."""
    batch = scribe.batch()
    batch.alarms[changed.id] = changed
    batch.audit.append(Entry(CLOCK.now().utc_us, actor, "escalate", f"alarm {changed.id}", {"why": why}))
    scribe.write(batch)


def work(scribe: Scribe, number: int) -> None:
    """Open an alarm, lift it by another report, and write a note."""
    opened = open_alarm(scribe, number, priority=Priority.TECHNICAL)
    CLOCK.advance(1)
    now = CLOCK.now().utc_us
    batch = scribe.batch()
    batch.alarms[number] = opened._replace(priority=Priority.LIFE)
    batch.decided.append(Entry(now, "receiver", "lift", f"alarm {number}", {"to": "LIFE", "signal": number}))
    batch.notes.append(Note(number, now, "maria", "the neighbour has a key"))
    detail: dict[str, object] = {"sha256": text_digest("the neighbour has a key")}
    batch.audit.append(Entry(now, "maria", "note", f"alarm {number}", detail))
    scribe.write(batch)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a journal of two open LIFE alarms with one note each."""
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
        ("UPDATE alarms SET on_test = 1 WHERE id = 2", "alarm 2: is marked as on test"),
        ("UPDATE alarms SET home = 'H-9' WHERE id = 2", "alarm 2: its home is not that of its first signal"),
        ("UPDATE alarms SET account = '0009' WHERE id = 2", "alarm 2: its account is not that of its first signal"),
        ("UPDATE alarms SET unknown_account = 1 WHERE id = 2", "alarm 2: is marked as from an unknown caller"),
        ("UPDATE alarms SET escalated = 1 WHERE id = 2", "alarm 2: its row says escalated 1 times"),
        ("UPDATE alarms SET kind = 'battery_low' WHERE id = 2", "alarm 2: its kind is not that of a report of it"),
        ("UPDATE alarms SET first_signal = 1 WHERE id = 2", "alarm 2: its first signal is not the one"),
        ("UPDATE alarms SET first_signal = 0, on_test = 1 WHERE id = 2", "alarm 2: its first signal is not the one"),
        (NOTE, "1 notes are there that no record mentions"),
    ],
)
def test_a_change_by_hand_to_an_open_call_is_damage(state: Path, sql: str, what: str) -> None:
    """`vetlla db verify` once accepted a journal in which an open LIFE alarm had been closed by hand, unseen."""
    tamper(state, sql)
    assert any(what in damage.what for damage in inspect(state, CLOCK))


@pytest.mark.parametrize(
    ("flags", "values", "sql", "what"),
    [
        (ON_TEST, {"on_test": True}, "on_test = 0", "came on test, and no record says that it was taken out"),
        (UNKNOWN, {"unknown_account": True}, "home = 'H-9'", "its home is not that of its first signal"),
        (UNKNOWN, {"unknown_account": True}, "on_test = 1", "is marked as on test"),
        (UNKNOWN, {"unknown_account": True, "home": "callers of 192.0.2.0/24"}, "on_test = 1", "is marked as on test"),
        (UNKNOWN, {"home": "H-7"}, "on_test = 1", "is marked as on test"),
    ],
    ids=["on test", "a stranger", "a stranger on test", "a crowd", "a stranger who was registered since"],
)
def test_an_open_call_is_what_its_first_signal_was(
    tmp_path: Path, flags: int, values: dict[str, Any], sql: str, what: str
) -> None:
    """An alarm agrees with its first signal, except for a stranger's home; a change by hand is found."""
    with journal(tmp_path, CLOCK) as scribe:
        open_alarm(scribe, 1, flags, **values)
    assert list(inspect(tmp_path, CLOCK)) == []
    tamper(tmp_path, f"UPDATE alarms SET {sql}")
    (damage,) = inspect(tmp_path, CLOCK)
    assert what in damage.what


def test_a_call_that_left_its_test_cannot_be_put_back_by_hand(tmp_path: Path) -> None:
    """An alarm that the receiver escalated out of its test must not go back, because no operator would see it there.

    An operator's own escalation does not take it out. The records also say how often it was escalated.
    """
    with journal(tmp_path, CLOCK) as scribe:
        opened = open_alarm(scribe, 1, ON_TEST, on_test=True)
        asked = opened._replace(escalated=1)
        escalate(scribe, asked, "on_test", "maria")
        assert list(inspect(tmp_path, CLOCK)) == []
        escalate(scribe, asked._replace(escalated=2, on_test=False), "on_test")
    assert list(inspect(tmp_path, CLOCK)) == []
    tamper(tmp_path, "UPDATE alarms SET on_test = 1, escalated = 0")
    told = " ".join(damage.what for damage in inspect(tmp_path, CLOCK))
    assert "is marked as on test, and its escalation took it out of the test" in told
    assert "its row says escalated 0 times, and the records say 2 times" in told


def test_a_closed_call_is_compared_with_its_first_signal_too(state: Path) -> None:
    """A change by hand after the end would appear in every report of the month. Erased fields are no damage."""
    with journal(state, CLOCK) as scribe:
        now, batch = CLOCK.now().utc_us, scribe.batch()
        batch.alarms[2] = worked(2, opened_us=now - 1_000_000, state=State.CLOSED, closed_us=now)
        batch.audit.append(Entry(now, "maria", "close", "alarm 2", {}))
        scribe.write(batch)
    tamper(state, "UPDATE alarms SET home = '', account = '' WHERE id = 2")
    assert list(inspect(state, CLOCK)) == []
    tamper(state, "UPDATE alarms SET home = 'H-9' WHERE id = 2")
    (damage,) = inspect(state, CLOCK)
    assert "alarm 2: its home is not that of its first signal" in damage.what


def put_on_test(state: Path, values: str) -> None:
    """Put a home on test without the receiver, whatever columns the schema has."""
    with closing(sqlite3.connect(state / JOURNAL, isolation_level=None)) as connection:
        known = {"account": "'0001'", "since_us": "5", "until_us": "9999", "operator": "'eva'", "reason": "'x'"}
        known |= dict(part.split("=") for part in values.split() if part)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(on_test)")]
        said = ", ".join(known.get(column, "0") for column in columns)
        connection.execute(f"INSERT INTO on_test VALUES ({said})")


def test_a_test_that_was_added_by_hand_is_damage(state: Path) -> None:
    """Its calls would be shown apart until the test's end, and no record says who ordered the test."""
    put_on_test(state, "")
    (damage,) = inspect(state, CLOCK)
    assert "account 0001: is on test, and no record says who ordered the test" in damage.what


def test_a_test_that_was_extended_by_hand_is_damage(state: Path) -> None:
    """The test was ordered for a minute, and its row says a year."""
    with journal(state, CLOCK) as scribe:
        batch = scribe.batch()
        batch.audit.append(Entry(5, "eva", "test", "account 0001", {"seconds": 60, "reason": "x"}))
        scribe.write(batch)
    put_on_test(state, "until_us=60000005")
    assert list(inspect(state, CLOCK)) == []
    tamper(state, "UPDATE on_test SET until_us = 1000 * until_us")
    (damage,) = inspect(state, CLOCK)
    assert "is on test" in damage.what


def test_work_of_operators_meanwhile_is_no_damage(state: Path) -> None:
    """An operator closes an alarm while the chain is checked."""
    with journal(state, CLOCK) as scribe, Archive(state) as archive:

        def close(_: int, __: int) -> None:
            now = CLOCK.now().utc_us
            batch = scribe.batch()
            batch.alarms[1] = worked(1, state=State.CLOSED, closed_us=now, answered_us=now)
            for action in ("answer", "close", "note"):
                batch.audit.append(Entry(now, "maria", action, "alarm 1", {}))
            batch.notes.append(Note(1, now, "maria", "done"))
            scribe.write(batch)
            work(scribe, 3)

        assert list(verify(archive.read, close)) == []


def test_a_journal_of_many_closed_alarms_costs_no_memory(tmp_path: Path) -> None:
    """The check remembers only open alarms, and keeps consecutive numbers as one pair."""
    with journal(tmp_path, CLOCK) as scribe:
        for number in range(1, 50):
            work(scribe, number)
            now = CLOCK.now().utc_us
            batch = scribe.batch()
            closed = worked(
                number, state=State.CLOSED, opened_us=now - 1_000_000, closed_us=now, priority=Priority.LIFE
            )
            batch.alarms[number] = closed
            batch.audit.append(Entry(now, "maria", "close", f"alarm {number}", {}))
            scribe.write(batch)
    assert list(inspect(tmp_path, CLOCK)) == []
