"""Opening the journal: the receiver recovers what was open, and only one receiver may use it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import WINDOW_US, alarm, journal, report
from vetlla.domain.accounts import AccountKey, OnTest
from vetlla.domain.alarms import AlarmOutcome, State, Tally
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.errors import StoreError
from vetlla.domain.previous_run import Recent
from vetlla.domain.signals import Priority
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL, LOCK, UNFINISHED_RESTORE, keep_out_receivers
from vetlla.store.journal.rows import ALARM_COLUMNS, alarm_row
from vetlla.store.sqlite.migrate import apply, migrations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.journals import Scribe


# --- recovery ---------------------------------------------------------------------------------------------------------


def test_an_empty_journal_begins_at_one(tmp_path: Path) -> None:
    """The first start finds an empty journal."""
    clock = ManualClock()
    with closing(Journal(tmp_path, clock)) as opened:
        found = opened.recover(WINDOW_US)

    assert (found.boot, found.next_commit, found.next_signal, found.next_alarm) == (1, 1, 1, 1)
    assert (found.open_alarms, found.tallies, found.on_test, found.recent) == ([], {}, [], Recent([], []))


def test_recovery_knows_open_alarms_and_tests(tmp_path: Path) -> None:
    """It returns open alarms with their growth, running tests and the next numbers, but nothing closed or ended."""
    clock = ManualClock()
    now_us = clock.now().utc_us
    states = [State.WAITING, State.CLAIMED, State.ANSWERED, State.CLOSED]
    alarms = [
        alarm(number, clock, state=state, outcome=AlarmOutcome.TEST if state is State.CLOSED else None)
        for number, state in enumerate(states, 1)
    ]
    with journal(tmp_path, clock) as scribe:
        batch = scribe.batch()
        batch.alarms = {one.id: one for one in alarms}
        batch.tests = {
            AccountKey(name): OnTest(
                AccountKey(name), now_us, now_us + ends_us, clock.now().mono_us + ends_us, 1, "enric", ""
            )
            for name, ends_us in (("0001", 100_000_000), ("0002", 5_000_000))
        }
        scribe.signals([report(1), report(2)], batch, alarm=2)
        scribe.write(batch)
        clock.advance(10)
        scribe.commit(report(3), alarm=2, priority=Priority.ROUTINE)
        scribe.commit(report(4), alarm=4)

    with closing(Journal(tmp_path, clock)) as opened:
        found = opened.recover(WINDOW_US)

    assert found.open_alarms == alarms[:3]
    # A routine signal counts, but does not keep the chain open.
    assert found.tallies == {1: Tally(0, 1, 0), 2: Tally(3, 3, 0), 3: Tally(0, 1, 0)}
    assert [test.place.account for test in found.on_test] == ["0001"]
    assert (found.next_commit, found.next_signal, found.next_alarm) == (4, 5, 5)


def test_recovery_remembers_the_duplicate_window(tmp_path: Path) -> None:
    """It returns the identities of the last minutes in order, without old ones and those that are never repeated."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        scribe.commit(report(1))
        clock.advance(WINDOW_US / 1e6)
        scribe.commit(report(2), report(3, identity=b""), report(4))
        clock.advance(1)
        at_us = scribe.clock.now().mono_us - 1_000_000
        recent = scribe.journal.recover(WINDOW_US).recent

    assert recent == Recent([(b"identity-2", 2, at_us), (b"identity-4", 4, at_us)], [])


@pytest.mark.parametrize(("rebooted", "told_us"), [(False, [0, 10_000_000]), (True, [10_000_000, 10_000_000])])
def test_recovery_knows_the_calls_that_may_be_repeated(tmp_path: Path, *, rebooted: bool, told_us: list[int]) -> None:
    """Reports of open alarms come with their times and their device's last frame; those of closed ones are left out."""
    clock = ManualClock()
    closed = alarm(2, clock, state=State.CLOSED, outcome=AlarmOutcome.TEST)
    home = report(1).id
    with journal(tmp_path, clock) as scribe:
        batch = scribe.batch()
        batch.alarms = {1: alarm(1, clock), 2: closed}
        scribe.signals([report(1, sent_at=to_datetime(5)), report(2, id=home)], batch, alarm=1)
        scribe.write(batch)
        scribe.commit(report(3, id=home), alarm=2)
        clock.advance(10)
        batch = scribe.batch()
        batch.duplicates[2] = (1, *clock.now(), "tcp", "192.0.2.7:1")
        scribe.write(batch)
        clock.step_wall(-3600)
        if rebooted:
            scribe.journal._connection.execute("UPDATE boots SET boot = 'of yesterday'")
        plain, calls, _ = scribe.journal.recover(WINDOW_US).recent

    assert plain == []
    assert [(call.number, call.alarm, call.last_frame, call.sent_us) for call in calls] == [
        (1, 1, 3, 5),
        (2, 1, 3, None),
    ]
    # The wall clock was set back. That changes nothing while the machine runs; a future instant counts as now.
    assert [call.told_us for call in calls] == told_us


def test_recovery_reads_no_table_from_end_to_end(tmp_path: Path) -> None:
    """However large the journal is, a start reads only what is open and the last minutes of signals."""
    statements: list[str] = []
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        connection = scribe.journal._connection
        connection.set_trace_callback(statements.append)
        scribe.journal.recover(WINDOW_US)
        connection.set_trace_callback(None)
        plans = [
            (sql, row["detail"])
            for sql in statements
            if sql.lstrip().startswith("SELECT")
            for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
        ]
    scans = [(sql, plan) for sql, plan in plans if plan.startswith("SCAN") and " INDEX " not in plan]

    # The window is searched backwards along the numbers as far as its edge. Tests and sinks are few.
    assert {plan for _, plan in scans} <= {"SCAN on_test", "SCAN CONSTANT ROW", "SCAN edge", "SCAN sinks"}
    assert any("alarms_open" in plan for _, plan in plans)
    assert any("alarms_closed" in plan for _, plan in plans)
    assert any("signals_by_alarm" in plan for _, plan in plans)


def test_alarms_of_the_schema_before_holds_are_read(tmp_path: Path) -> None:
    """Rows of a schema without marks have no marks. Alarms that were closed lately are found, older ones are not."""
    clock = ManualClock()
    connection = sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)
    steps = migrations("journal")
    (holds,) = [step for step in steps if step.name.endswith("_holds")]
    apply(connection, steps[: steps.index(holds)], clock)
    old = [name for name in ALARM_COLUMNS if name in columns(connection)]
    assert set(ALARM_COLUMNS) - set(old) == NEW
    now_us = clock.now().utc_us
    for number, closed_us in ((1, None), (2, now_us - 100_000_000), (3, now_us - 100_000_001)):
        state = State.CLOSED if closed_us else State.ANSWERED
        row = alarm_row(alarm(number, clock, state=state, operator="ana", escalated=2, closed_us=closed_us))
        values = [value for name, value in zip(ALARM_COLUMNS, row, strict=True) if name in old]
        connection.execute(f"INSERT INTO alarms ({', '.join(old)}) VALUES ({', '.join('?' * len(old))})", values)
    connection.close()

    with closing(Journal(tmp_path, clock)) as opened:
        found = opened.recover(WINDOW_US, chain_us=100_000_000)

    (still,) = found.open_alarms
    assert (still.operator, still.escalated, still.due_mono_us, still.escalated_why) == ("ana", 2, None, "")
    assert [one.id for one in found.closed] == [2]


NEW = {"warned_us", "overdue_us", "due_mono_us", "lapsed_us", "escalated_us", "escalated_by", "escalated_why"}


def columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info (alarms)")]


# --- one receiver, one journal ----------------------------------------------------------------------------------------


def test_two_receivers_cannot_share_a_state_directory(tmp_path: Path) -> None:
    """The second one is refused with the owner's process id and a remedy, and may start when the first has ended."""
    clock = ManualClock()
    with closing(Journal(tmp_path, clock)), pytest.raises(StoreError, match="is writing") as caught:
        Journal(tmp_path, clock)
    assert "a receiver uses this state directory" in caught.value.remedy

    Journal(tmp_path, clock).close()


def test_a_receiver_that_dies_leaves_the_journal_free(tmp_path: Path) -> None:
    """The lock ends with the process, however that ends."""
    code = (
        "import sys; from pathlib import Path; from vetlla.domain.clock import ManualClock;"
        "from vetlla.store.journal.journal import Journal; journal = Journal(Path(sys.argv[1]), ManualClock());"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match=f"process {child.pid} is writing"):
            Journal(tmp_path, ManualClock())
        child.kill()
        child.wait(10)
        Journal(tmp_path, ManualClock()).close()


def test_maintenance_keeps_receivers_out(tmp_path: Path) -> None:
    """No receiver can open the files while a restore exchanges them."""
    with keep_out_receivers(tmp_path), pytest.raises(StoreError, match="is writing"):
        Journal(tmp_path, ManualClock())


def test_a_journal_that_cannot_be_opened_is_not_locked(tmp_path: Path) -> None:
    """A start that fails frees the lock, so the next try does not report another receiver."""
    (tmp_path / JOURNAL).write_bytes(b"this is no database, and long enough to be taken for none" * 20)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"cannot be opened: file is not a database"):
            Journal(tmp_path, ManualClock())


def test_a_restore_that_was_interrupted_stops_the_receiver(tmp_path: Path) -> None:
    """No receiver may write to files of which some are old and some are new."""
    (tmp_path / UNFINISHED_RESTORE).touch()

    with pytest.raises(StoreError, match="a restore was interrupted"):
        Journal(tmp_path, ManualClock())


def test_a_state_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """A file is in the place of the directory."""
    (tmp_path / "state").write_text("in the way", encoding="utf-8")

    with pytest.raises(StoreError, match="cannot be made"):
        Journal(tmp_path / "state", ManualClock())


def test_files_are_for_the_service_and_its_group(tmp_path: Path) -> None:
    """Only the service and its group can read personal data, whatever the umask; the log inherits the permissions."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert set(modes) >= {JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", LOCK}
    assert set(modes.values()) == {0o640}


# --- after a failure --------------------------------------------------------------------------------------------------


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A journal that a later version wrote is not touched, and the message says which version is too old."""
    Journal(tmp_path, ManualClock()).close()
    with closing(sqlite3.connect(tmp_path / JOURNAL)) as connection:
        connection.execute("PRAGMA user_version = 9999")
    before = (tmp_path / JOURNAL).read_bytes()

    with pytest.raises(StoreError, match=r"schema 9999 is newer than this program's") as caught:
        Journal(tmp_path, ManualClock())

    assert "run the Vetlla version that wrote it" in caught.value.remedy
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_a_stop_puts_a_deleted_journal_back(tmp_path: Path) -> None:
    """The receiver is stopped before the copy of a deleted journal is in its place, so the stop puts it there."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        (tmp_path / JOURNAL).unlink()
        pulse = scribe.batch()
        pulse.pulse = True
        with pytest.raises(StoreError, match=r"journal\.db was deleted"):
            scribe.write(pulse)
        with pytest.raises(StoreError, match="a copy is being made"):
            scribe.journal.resume()
    assert not list(tmp_path.glob("*.kept-*"))
    with journal(tmp_path) as scribe:
        assert scribe.next_signal == 2


def end_copy(scribe: Scribe) -> None:
    """Wait until the copy is complete or has failed."""
    assert scribe.journal._rescue is not None
    scribe.journal._rescue.wait()


def test_a_copy_that_has_no_room_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says why the copy failed, and the receiver stays unready until there is room."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        (tmp_path / JOURNAL).unlink()
        with monkeypatch.context() as full:
            full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
            with pytest.raises(StoreError, match="a copy is being made"):
                scribe.journal.resume()
            end_copy(scribe)
            with pytest.raises(StoreError, match="has no room for"):
                scribe.journal.resume()
            end_copy(scribe)
        with pytest.raises(StoreError, match="a copy is being made"):
            scribe.journal.resume()
        end_copy(scribe)
        scribe.journal.resume()
        scribe.commit(report(2))
    with journal(tmp_path) as scribe:
        assert scribe.next_signal == 3
