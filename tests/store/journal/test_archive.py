"""The journal's reading side works beside a receiver, without one, and after a crash, and never writes a byte."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import Scribe, journal, report, write_a_story
from tests.rigs.permissions import unprivileged
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import AccessError, StoreError
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
COUNT = "SELECT count(*) AS signals FROM signals"


def count(archive: Archive) -> int:
    (row,) = archive.read(COUNT)
    number: int = row["signals"]
    return number


def fingerprints(directory: Path) -> dict[str, str]:
    """Return the content of every file except the log's index, in which readers mark their place."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.iterdir()
        if not path.name.endswith("-shm")
    }


DIE = """
import os, signal, sys
from pathlib import Path
from tests.rigs.permissions import reachable_directory, unprivileged
from tests.rigs.journals import Scribe, report
from vetlla.domain.clock import ManualClock
scribe = Scribe(Path(sys.argv[1]), ManualClock())
for number in range(100):
    scribe.commit(report(number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def crash(directory: Path) -> None:
    """Write a hundred signals in a process that is then killed, so that they are still in the log."""
    subprocess.run([sys.executable, "-c", DIE, str(directory)], check=False, cwd=ROOT)
    assert (directory / f"{JOURNAL}-wal").stat().st_size > 0


@contextmanager
def only_reading(directory: Path) -> Iterator[None]:
    """Run as a user who may read everything in a directory and change nothing."""
    modes = {path: path.stat().st_mode for path in (directory, *directory.iterdir())}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with unprivileged():
        yield
    for path, mode in modes.items():
        path.chmod(mode)


# --- which journal there is -------------------------------------------------------------------------------------------


def test_it_reads_beside_a_running_receiver(tmp_path: Path) -> None:
    """A connection that was open before sees committed data at once."""
    with journal(tmp_path) as scribe, Archive(tmp_path) as archive:
        assert count(archive) == 0
        scribe.commit(report(1))
        assert count(archive) == 1
        scribe.journal._checkpoint_pages = 0
        scribe.journal.checkpoint()
        scribe.commit(report(2))
        assert count(archive) == 2


def test_it_reads_while_no_receiver_runs(tmp_path: Path) -> None:
    """A receiver that was stopped leaves one file, and reading it makes no other file."""
    write_a_story(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    with Archive(tmp_path) as archive:
        assert count(archive) == 60
        assert {path.name for path in tmp_path.iterdir()} == before == {JOURNAL, "journal.lock"}


def test_it_reads_the_files_of_a_killed_receiver_and_changes_nothing(tmp_path: Path) -> None:
    """The log is read but not moved into the database. Only the receiver may checkpoint, even if this closes last."""
    crash(tmp_path)
    before = fingerprints(tmp_path)
    with Archive(tmp_path) as archive:
        assert count(archive) == 100
    assert fingerprints(tmp_path) == before


def test_it_cannot_write(tmp_path: Path) -> None:
    """No statement writes, and no checkpoint is possible."""
    with journal(tmp_path) as scribe, Archive(tmp_path) as archive:
        scribe.commit(report(1))
        for sql in ("DELETE FROM rejects", "CREATE TABLE mine (x)", "PRAGMA wal_checkpoint", "VACUUM"):
            with pytest.raises(StoreError, match="cannot be read"):
                archive.read(sql)


def test_a_user_who_may_only_read_can_read(reachable: Path) -> None:
    """A member of the group needs no right to make files in the state directory, whether or not a receiver runs."""
    with journal(reachable) as scribe:
        scribe.commit(*(report(number) for number in range(50)))
        with only_reading(reachable), Archive(reachable) as archive:
            assert count(archive) == 50
    with only_reading(reachable), Archive(reachable) as archive:
        assert count(archive) == 50


def test_a_user_who_may_only_read_sees_new_rows(reachable: Path) -> None:
    """Such a reader cannot mark its place in the log's index, but follows the journal, with or without checkpoints."""
    with journal(reachable) as scribe:
        scribe.journal._checkpoint_pages = 0
        with only_reading(reachable):
            archive = Archive(reachable)
        for number in range(1, 30):
            scribe.commit(report(number))
            if number % 7 == 0:
                scribe.journal.checkpoint()
            with unprivileged():
                assert count(archive) == number
        archive.close()


def test_a_user_who_may_only_read_can_read_after_a_crash(reachable: Path) -> None:
    """No other process shares the log's index, so SQLite makes one in memory."""
    crash(reachable)
    with only_reading(reachable), Archive(reachable) as archive:
        assert count(archive) == 100


def test_a_receiver_may_start_and_stop_meanwhile(tmp_path: Path) -> None:
    """An open archive follows the journal from one run of the receiver to the next."""
    clock = ManualClock()
    write_a_story(tmp_path, clock)
    with Archive(tmp_path) as archive:
        assert count(archive) == 60
        for life in range(1, 4):
            with journal(tmp_path, clock) as scribe:
                assert count(archive) == 59 + life
                scribe.commit(report(1000 + life))
                assert count(archive) == 60 + life
            assert count(archive) == 60 + life


def test_a_receiver_that_starts_and_stops_unseen_is_noticed(tmp_path: Path) -> None:
    """The file may have changed between two reads without a log, so cached pages are not used."""
    write_a_story(tmp_path)
    with Archive(tmp_path) as archive:
        assert archive._state.log is False
        assert count(archive) == 60
        with journal(tmp_path) as scribe:
            scribe.commit(*(report(number) for number in range(100, 150)))
        assert archive._state.log is False
        assert count(archive) == 110


def test_a_receiver_that_starts_in_the_middle_of_a_read_is_noticed(tmp_path: Path) -> None:
    """Rows that were read without locks while it began to write are discarded and read again."""
    write_a_story(tmp_path)
    started: list[Scribe] = []

    def start() -> int:
        if not started:
            started.append(Scribe(tmp_path, ManualClock()))
            started[0].commit(report(1))
        return 0

    with Archive(tmp_path) as archive:
        archive._connection.set_progress_handler(start, 1)
        assert count(archive) == 61
        assert archive._state.log is True
        started[0].journal.close()


def test_a_journal_that_changes_all_the_time_is_given_up(tmp_path: Path) -> None:
    """The number of tries is limited."""
    write_a_story(tmp_path)
    with Archive(tmp_path) as archive, closing(sqlite3.connect(":memory:", isolation_level=None)) as target:
        with pytest.raises(StoreError, match="starts and stops all the time"):
            archive.copy(target, lambda *_: archive.path.touch())
        assert count(archive) == 60


def test_a_journal_that_replaced_another_is_read(tmp_path: Path) -> None:
    """After a restore, a reader that stays open must not go on showing the old file."""
    write_a_story(tmp_path / "old")
    with journal(tmp_path / "new") as scribe:
        scribe.commit(report(1))
    with Archive(tmp_path / "old") as archive:
        assert count(archive) == 60
        (tmp_path / "new" / JOURNAL).rename(tmp_path / "old" / JOURNAL)
        assert count(archive) == 1


def test_readers_and_the_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """A thread reads without pause while batches are written and checkpointed, and every count was true at a time."""
    seen: list[int] = []
    stop = threading.Event()

    def read_on() -> None:
        with Archive(tmp_path) as archive:
            while not stop.is_set():
                seen.append(count(archive))

    with journal(tmp_path) as scribe:
        scribe.journal._checkpoint_pages = 10
        reader = threading.Thread(target=read_on)
        reader.start()
        try:
            for number in range(150):
                scribe.commit(report(number))
                scribe.journal.checkpoint()
        finally:
            stop.set()
            reader.join(10)
    assert not reader.is_alive()
    assert seen == sorted(seen)
    assert seen[-1] > 0


# --- no journal that can be read --------------------------------------------------------------------------------------


def test_the_error_about_a_missing_journal_says_what_to_do(tmp_path: Path) -> None:
    """There is no journal in the wrong directory, or if the receiver has never run."""
    with pytest.raises(StoreError, match="there is no journal") as caught:
        Archive(tmp_path)
    assert "--state-dir" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_no_journal(tmp_path: Path) -> None:
    """A receiver that was stopped before it made its schema leaves an empty file."""
    (tmp_path / JOURNAL).touch()
    with pytest.raises(StoreError, match="holds no journal yet"):
        Archive(tmp_path)


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    """The error says what is wrong and which command checks it, without a traceback."""
    (tmp_path / JOURNAL).write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="file is not a database") as caught:
        Archive(tmp_path)
    assert "vetlla db verify" in caught.value.remedy


def test_damage_in_the_middle_is_reported(tmp_path: Path) -> None:
    """A damaged page is found when it is read, not before."""
    with journal(tmp_path) as scribe:
        scribe.commit(*(report(number, raw=bytes(1000)) for number in range(500)))
    with (tmp_path / JOURNAL).open("r+b") as file:
        file.seek(60 * 4096)
        file.write(b"\xff" * 4096 * 20)
    with Archive(tmp_path) as archive, pytest.raises(StoreError, match="malformed"):
        archive.read("SELECT * FROM signals")


@pytest.mark.parametrize(
    ("schema", "message", "remedy"),
    [
        (9999, "schema 9999 is newer than this program's", "run the Vetlla version that wrote it"),
        (-1, "schema -1 is older than this program's", "start the receiver of this version"),
    ],
)
def test_a_schema_of_another_version_is_refused(tmp_path: Path, schema: int, message: str, remedy: str) -> None:
    """A newer schema may have another meaning. The receiver brings an older one up to date; readers do not."""
    write_a_story(tmp_path)
    with closing(sqlite3.connect(tmp_path / JOURNAL)) as connection:
        connection.execute(f"PRAGMA user_version = {schema}")
    with pytest.raises(StoreError, match=message) as caught:
        Archive(tmp_path)
    assert remedy in caught.value.remedy


def test_a_user_without_permission_is_told_so(reachable: Path) -> None:
    """The error says that the permission is missing."""
    state = reachable / "state"
    write_a_story(state)
    state.chmod(0o000)
    with unprivileged(), pytest.raises(AccessError, match=f"may not enter {state}"):
        Archive(state)
    state.chmod(0o755)
    (state / JOURNAL).chmod(0o000)
    with unprivileged(), pytest.raises(AccessError, match=f"may not read {state / JOURNAL}"):
        Archive(state)


def test_a_log_without_its_index_needs_the_right_to_make_one(reachable: Path, tmp_path: Path) -> None:
    """A state directory that was copied by hand while the receiver ran is reported, not read without the log."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        for name in (JOURNAL, f"{JOURNAL}-wal"):
            shutil.copy(tmp_path / name, reachable / name)
    with only_reading(reachable), pytest.raises(AccessError, match=f"may not write {reachable}"):
        Archive(reachable)
    with Archive(reachable) as archive:
        assert count(archive) == 1


def test_ctrl_c_while_the_journal_is_checked_is_no_damage(tmp_path: Path) -> None:
    """SQLite reports every stop as "interrupted", but Ctrl-C must not be reported as a damaged journal."""
    write_a_story(tmp_path)
    with closing(sqlite3.connect(tmp_path / JOURNAL)) as connection:
        connection.execute(
            "INSERT INTO rejects"
            " (at_us, listener, transport, peer, protocol, reason, receiver, line, account, text, raw)"
            " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
            " SELECT i, 'dc09', 'tcp', '192.0.2.7', 'dc09', 'malformed', '', '', '', '', x'00' FROM n"
        )
        connection.commit()

    def press_ctrl_c() -> None:
        raise KeyboardInterrupt

    with Archive(tmp_path) as archive:
        with pytest.raises(KeyboardInterrupt):
            archive.damage(press_ctrl_c)
        assert archive.damage(lambda: None) == []


def test_an_invalid_row_is_reported(tmp_path: Path) -> None:
    """A row has a kind that does not exist; the error names the row and the command that checks it."""
    write_a_story(tmp_path)
    with closing(sqlite3.connect(tmp_path / JOURNAL)) as connection:
        connection.execute("DROP TRIGGER signals_stay_update")
        connection.execute("UPDATE signals SET kind = 'unheard of' WHERE id = 5")
        connection.commit()
    with Archive(tmp_path) as archive, pytest.raises(StoreError, match="signals 5: 'unheard of'") as caught:
        list(history.newest(archive, history.signals(), 100))
    assert "audit verify" in caught.value.remedy


def test_the_writer_continues_while_an_archive_is_open(tmp_path: Path) -> None:
    """An archive that is open but idle does not keep the log from starting over."""
    with journal(tmp_path) as scribe, Archive(tmp_path) as archive:
        scribe.commit(report(1))
        assert count(archive) == 1
        scribe.commit(report(2))
        checkpoint = scribe.journal._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        assert checkpoint[0] == 0, "no reader blocks the checkpoint"
        scribe.commit(report(3))
        assert count(archive) == 3


def test_a_receiver_starts_beside_open_archives(tmp_path: Path) -> None:
    """Readers hold no lock that a receiver needs."""
    write_a_story(tmp_path)
    with Archive(tmp_path) as archive:
        assert count(archive) == 60
        Journal(tmp_path, ManualClock()).close()
        Scribe(tmp_path, ManualClock()).journal.close()
        assert count(archive) == 60
