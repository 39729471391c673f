"""The journal's writing side stores all of a batch or nothing."""

from __future__ import annotations

import resource
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import WINDOW_US, Scribe, alarm, arrival, journal, reject, report
from vetlla.domain.accounts import AccountKey, OnTest
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.domain.onward import KeptSink
from vetlla.domain.supervision import KeptChange, KeptDevice, KeptIncident, LedgerDay, OrderedPause
from vetlla.store.journal.audit import read_head
from vetlla.store.journal.batch import Entry, Note
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL, PATIENCE_MS
from vetlla.store.journal.rows import reject_row
from vetlla.store.journal.signs import SignsRow
from vetlla.store.journal.writing import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.store.journal.batch import Batch

TABLES = (
    "signals", "commits", "duplicates", "rejects", "alarms", "notes", "on_test", "audit",
    "units", "signs", "verdicts", "incidents", "pauses", "ledger", "ledger_days", "sinks",
)  # fmt: skip


def dump(directory: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, read by another connection."""
    with closing(sqlite3.connect(f"file:{directory / JOURNAL}?mode=ro", uri=True)) as connection:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}


def unit(*, heard_us: int = 0, received: int = 0) -> KeptDevice:
    """Return the row of an invented terminal."""
    return KeptDevice(0, "0001", "", "0", "", 1, 1, heard_us, 0, 900, 3, "2026-01-01", received, 0, 0, 0)


def full_batch(scribe: Scribe) -> Batch:
    """Return a batch with rows for every table."""
    clock = scribe.clock
    now_us = clock.now().utc_us
    batch = scribe.signals([report(100 + number) for number in range(10)], alarm=9)
    batch.rejects.append(reject_row(arrival(clock), reject()))
    rows = batch.supervision
    rows.units.append(unit(heard_us=now_us, received=3))
    rows.signs.append(SignsRow(0, "2026-01-01", b"columns"))
    rows.verdicts.append(KeptChange(now_us, 0, 1, 3, 0, now_us, 3, 1, 9))
    rows.incidents.append(KeptIncident(1, "cell:1", now_us, None, 3, 4, 9))
    rows.pauses.append(OrderedPause(0, now_us, None, "enric", "works"))
    rows.stretches.append(("2026-01-01", 0, b"columns"))
    rows.days.append(LedgerDay("2026-01-01", 0, 5.0))
    batch.duplicates[1] = (1, now_us, 0, "tcp", "192.0.2.7:1")
    batch.alarms[9] = alarm(9, clock)
    batch.notes.append(Note(9, now_us, "maria", "neighbour has the keys"))
    batch.tests[AccountKey("0001")] = OnTest(AccountKey("0001"), now_us, now_us + 1, 1, 1, "enric", "installation")
    batch.sinks["city"] = KeptSink("city", 7, now_us)
    batch.audit.append(Entry(now_us, "enric", "test", "account 0001", {"seconds": 1}))
    return batch


@contextmanager
def file_size_limited(path: Path, share: int = 2) -> Iterator[None]:
    """Limit file sizes to a share of this file's size, so that the kernel refuses what SQLite would write beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // share, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_statement_that_fails_leaves_nothing_of_the_batch(tmp_path: Path, table: str) -> None:
    """Wherever in the batch the disk or SQLite fails, no row of any table stays and the audit chain does not grow."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        connection = scribe.journal._connection
        connection.execute(
            f"CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        before, head = dump(tmp_path), scribe.journal._head
        batch = full_batch(scribe)

        with pytest.raises(StoreError, match=f"commit {batch.commit} failed: no"):
            scribe.write(batch)

        assert dump(tmp_path) == before
        assert scribe.journal._head == head
        connection.execute("DROP TRIGGER refuse")
        scribe.write(batch)
        assert all(len(dump(tmp_path)[name]) > len(before[name]) for name in TABLES)


@pytest.mark.parametrize("count", [1, 100])
def test_a_number_that_is_taken_leaves_nothing_of_the_batch(tmp_path: Path, count: int) -> None:
    """No number may be used for two reports, so a batch that would use one again is rolled back as a whole."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        before = dump(tmp_path)
        batch = scribe.signals([report(number) for number in range(2, 2 + count)])
        batch.signals[-1] = (1, *batch.signals[-1][1:])

        with pytest.raises(StoreError, match="UNIQUE"):
            scribe.write(batch)
        assert dump(tmp_path) == before

        scribe.commit(report(2))
        assert len(dump(tmp_path)["signals"]) == 2


@pytest.mark.parametrize("text", ["lone surrogate \ud800", 2**63])
def test_a_value_that_sqlite_cannot_hold_leaves_nothing_of_the_batch(tmp_path: Path, text: str | int) -> None:
    """An error that Python raises while it binds a value must not leave half a batch open either."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        before = dump(tmp_path)
        batch = full_batch(scribe)
        batch.signals[-1] = (*batch.signals[-1][:18], text, *batch.signals[-1][19:])

        with pytest.raises(StoreError):
            scribe.write(batch)
        assert dump(tmp_path) == before

        scribe.commit(report(2))
        assert len(dump(tmp_path)["signals"]) == 2


def test_a_full_disk_leaves_nothing_of_the_batch(tmp_path: Path) -> None:
    """After SQLITE_FULL in the middle of a batch nothing of it is kept, and the journal goes on when there is room."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        connection = scribe.journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        before = dump(tmp_path)
        large = scribe.signals([report(number, raw=bytes(3000)) for number in range(2, 100)])

        with pytest.raises(StoreError, match="full"):
            scribe.write(large)

        assert dump(tmp_path) == before
        connection.execute("PRAGMA max_page_count = 1000000")
        scribe.write(large)
        assert len(dump(tmp_path)["signals"]) == 99


def test_a_deferred_failure_at_commit_leaves_nothing(tmp_path: Path) -> None:
    """COMMIT itself may fail."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        before = dump(tmp_path)
        connection = scribe.journal._connection
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA defer_foreign_keys = ON")
        batch = scribe.signals([report(2)])
        batch.notes.append(Note(404, 0, "maria", "about an alarm that does not exist"))

        with pytest.raises(StoreError, match="FOREIGN KEY"):
            scribe.write(batch)

        assert dump(tmp_path) == before
        assert not connection.in_transaction


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 63, 64, 65, 71, 72, 73, 127, 128, 200])
def test_each_signal_of_a_batch_is_stored_once(tmp_path: Path, count: int) -> None:
    """However the rows are divided into statements, no row is lost, doubled or out of order."""
    assert ROWS_PER_STATEMENT == 64, "the counts above were chosen for this number"
    with journal(tmp_path) as scribe:
        scribe.commit(*(report(number) for number in range(count)))
        stored = dump(tmp_path)["signals"]

    assert [row[0] for row in stored] == list(range(1, count + 1))
    assert [row[23] for row in stored] == [b"identity-%d" % number for number in range(count)]


def test_a_batch_fills_every_table(tmp_path: Path) -> None:
    """All values of a batch are found in the tables, with the numbers that connect them."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        scribe.write(full_batch(scribe))
        rows = dump(tmp_path)

    assert {row[1] for row in rows["signals"]} == {row[0] for row in rows["commits"]} == {1, 2}
    assert {row[28] for row in rows["signals"]} == {None, 9}
    assert [row[0] for row in rows["alarms"]] == [row[1] for row in rows["notes"]] == [9]
    assert [row[3] for row in rows["audit"]] == ["commit", "test", "commit"]


def test_stamps_come_with_the_next_batch(tmp_path: Path) -> None:
    """The next batch writes the stamps, which are known only when the commit is durable."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        assert dump(tmp_path)["commits"][0][3:] == (None, None, None)
        scribe.commit(report(2))
        assert None not in dump(tmp_path)["commits"][0]


def test_counts_of_duplicates_grow(tmp_path: Path) -> None:
    """Duplicates are kept as a count with the last instant."""
    with journal(tmp_path) as scribe:
        for at_us, count in ((50, 2), (40, 1)):
            batch = scribe.batch()
            batch.duplicates[1] = (count, at_us, 0, "udp", f"192.0.2.7:{at_us}")
            scribe.write(batch)
        rows = dump(tmp_path)

    assert rows["duplicates"] == [(1, 3, 40, "udp", "192.0.2.7:40", 0)]


def test_a_device_keeps_its_row(tmp_path: Path) -> None:
    """The values of a device's row change, its name and number do not. An incident's row grows and ends."""
    with journal(tmp_path) as scribe:
        for received, members in ((1, 3), (2, 5)):
            batch = scribe.batch()
            batch.supervision.units.append(unit(received=received))
            batch.supervision.incidents.append(KeptIncident(1, "cell:1", 10, None, 3, members, None))
            scribe.write(batch)
        rows = dump(tmp_path)

    assert rows["units"] == [tuple(unit(received=2))]
    assert rows["incidents"] == [(1, "cell:1", 10, None, 3, 5, None)]


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    """The ledger keeps all days from a given one on, and a given number of days, whatever the date."""
    days = ["2024-01-30", "2024-01-31", "2024-02-01"]
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.supervision.stretches += [(day, 0, b"x") for day in days]
        batch.supervision.days += [LedgerDay(day, 0, 5.0) for day in days]
        scribe.write(batch)
        for earlier, left in ((("2030-01-01", 3), days), (("2030-01-01", 2), days[1:]), (("2024-02-01", 1), days[2:])):
            batch = scribe.batch()
            batch.supervision.forget_before.append(earlier)
            scribe.write(batch)
            rows = dump(tmp_path)
            assert [row[0] for row in rows["ledger"]] == left
            assert [row[0] for row in rows["ledger_days"]] == left


def test_a_test_is_replaced_and_ended(tmp_path: Path) -> None:
    """Each registered account has one test, in upper or lower case. None ends that test and no other one."""
    place, other = AccountKey("000a"), AccountKey("000a", "1")
    with journal(tmp_path) as scribe:
        for until in (10, 20):
            batch = scribe.batch()
            batch.tests[place] = OnTest(place, 0, until, until, 1, "enric", "")
            batch.tests[other] = OnTest(other, 0, 7, 7, 1, "enric", "")
            scribe.write(batch)
        assert [row[4] for row in dump(tmp_path)["on_test"]] == [20, 7]
        batch = scribe.batch()
        batch.tests[AccountKey("000A")] = None
        scribe.write(batch)
        assert [row[4] for row in dump(tmp_path)["on_test"]] == [7]


@pytest.mark.parametrize(
    "sql", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "UPDATE signals SET kind = 'presence'"]
)
def test_the_database_itself_refuses_to_rewrite_the_past(tmp_path: Path, sql: str) -> None:
    """Triggers stop a mistake of ours or of a person with sqlite3. Without triggers the audit chain shows it."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        with pytest.raises(sqlite3.IntegrityError, match=r"append-only|never changed"):
            scribe.journal._connection.execute(sql)


# --- after a failure --------------------------------------------------------------------------------------------------


def test_after_a_failure_only_the_log_starts_again(tmp_path: Path) -> None:
    """All committed data is in the database itself, nothing of the failed batch is, and the audit chain goes on."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        with file_size_limited(tmp_path / f"{JOURNAL}-wal"), pytest.raises(StoreError, match="commit 2 failed"):
            scribe.journal.write(scribe.signals([report(2)]))
        scribe.journal.resume()
        assert (tmp_path / f"{JOURNAL}-wal").stat().st_size == 0
        scribe.commit(report(3))
        assert read_head(scribe.journal._connection) == scribe.journal._head
        assert [row[0] for row in dump(tmp_path)["signals"]] == [1, 2]


def test_a_disk_that_still_fails_is_reported(tmp_path: Path) -> None:
    """A try that fails must raise, so that the receiver stays unready and tries again later."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        with file_size_limited(tmp_path / JOURNAL, share=10), pytest.raises(StoreError, match="cannot go on"):
            scribe.journal.resume()
        scribe.journal.resume()
        scribe.commit(report(2))


def test_no_start_or_recovery_waits_for_a_long_reader(tmp_path: Path) -> None:
    """Neither a start nor a recovery waits for a reader: a backup may take minutes, and homes are calling."""
    opened = Journal(tmp_path, ManualClock())
    with closing(sqlite3.connect(f"file:{tmp_path / JOURNAL}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM signals").fetchone() == (0,)
        opened.recover(WINDOW_US)  # records this boot, so that the log holds data that the reader does not see

        began = time.monotonic()
        opened.resume()
        opened.close()
        with journal(tmp_path) as scribe:
            assert time.monotonic() - began < PATIENCE_MS / 2000
            scribe.commit(report(1))
            assert reader.execute("SELECT count(*) FROM signals").fetchone() == (0,)
            assert len(dump(tmp_path)["signals"]) == 1
