"""A restore is whole or changes nothing, keeps the replaced files, and is recorded in the audit chain."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import alarm, arrival, journal, reject, report, write_a_story
from tests.rigs.registered_homes import register
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.store.accounts.table import account_book
from vetlla.store.backups.backup import MANIFEST, Manifest, back_up
from vetlla.store.backups.inspection import inspect
from vetlla.store.backups.restore import INCOMING, Restored, restore
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import Head, holds
from vetlla.store.journal.batch import Entry as Record
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.numbers import LEAP
from vetlla.store.journal.opening import JOURNAL, UNFINISHED_RESTORE
from vetlla.store.journal.rows import reject_row
from vetlla.store.registry.registry import REGISTRY, reading, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLOCK = ManualClock()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory with sixty signals and one account."""
    state = tmp_path / "state"
    write_a_story(state)
    register(state, "0001,H-1,,")
    return state


@pytest.fixture
def backup(state: Path, tmp_path: Path) -> Path:
    """Back the state up, then add three signals and an account."""
    target = tmp_path / "backup"
    back_up(state, target, CLOCK, FreeSpace(state, reserve=0))
    with journal(state) as scribe:
        scribe.commit(*(report(number) for number in range(61, 64)))
    register(state, "0002,H-1,,")
    return target


def restored(
    backup: Path, state: Path, *, dry_run: bool = False, progress: Callable[[int, int], None] = lambda *_: None
) -> Restored:
    room = FreeSpace(state, reserve=0)
    return restore(backup, state, CLOCK, room, actor="enric", dry_run=dry_run, progress=progress)


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file except the locks, which name their last owner."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def last_signal(directory: Path) -> int:
    with Archive(directory) as archive:
        return history.last_number(archive, history.SIGNALS)


def accounts(directory: Path) -> list[str]:
    with reading(directory, CLOCK) as db:
        return [account.account for account in account_book(db)]


def test_journal_and_registry_are_as_they_were(state: Path, backup: Path) -> None:
    """Signals, queue and accounts are those of the backup, and no file is left over from the exchange."""
    done = restored(backup, state)

    assert done.manifest == Manifest.read(backup)
    assert last_signal(state) == 60
    assert accounts(state) == ["0001"]
    assert list(inspect(state, CLOCK)) == []
    assert done.aside is not None
    assert {path.name for path in state.iterdir()} == {
        JOURNAL, REGISTRY, "journal.lock", "registry.lock", "journal.numbers", done.aside.name,
    }  # fmt: skip
    assert {(state / name).stat().st_mode & 0o777 for name in (JOURNAL, REGISTRY)} == {0o640}


def test_replaced_files_are_kept(state: Path, backup: Path) -> None:
    """The signals received since the backup are in the replaced files, and can be read there."""
    before = contents(state)
    done = restored(backup, state)

    assert done.aside is not None
    assert contents(done.aside) == before
    assert last_signal(done.aside) == 63
    assert accounts(done.aside) == ["0001", "0002"]


def test_the_chain_says_who_restored_and_which_head_was_replaced(state: Path, backup: Path) -> None:
    """The restored chain goes on from the backup's head with a record of the restore, which names the replaced head."""
    with Archive(state) as archive:
        (newest,) = archive.read("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
    done = restored(backup, state)

    with Archive(state) as archive:
        (record,) = history.newest(archive, history.records(actions=["restore"]), 5)
        assert holds(archive.read, Head.parse(str(done.manifest.head)))
        assert not holds(archive.read, Head(newest["id"], newest["hash"]))
    assert record.id == Head.parse(str(done.manifest.head)).id + 1
    assert record.actor == "enric"
    assert record.detail == {
        "made": done.manifest.made,
        "head": done.manifest.head,
        "replaced_head": f"{newest['id']}:{newest['hash'].hex()}",
        "numbers": {"signals": 64, "alarms": 2, "rejects": 2, "incidents": 1},
    }
    assert done.replaced_head == record.detail["replaced_head"]


def test_the_receiver_continues_after_a_restore(state: Path, backup: Path) -> None:
    """The chain continues where the backup ended. Numbers continue above those that the replaced journal gave out."""
    restored(backup, state)
    with journal(state) as scribe:
        scribe.commit(report(100))
    assert last_signal(state) == 64
    assert list(inspect(state, CLOCK)) == []


def open_an_alarm(state: Path) -> int:
    """Open an alarm, refuse a frame, and record an incident; return the alarm's number."""
    with journal(state) as scribe:
        number = scribe.recovered.next_alarm
        batch = scribe.signals([report(500 + number)], home="H-1", alarm=number)
        opened = alarm(number, CLOCK, first_signal=scribe.next_signal)
        batch.alarms[number] = opened
        batch.decided.append(Record(opened.opened_us, "receiver", "open", f"alarm {number}", {"priority": "LIFE"}))
        batch.rejects.append(reject_row(arrival(CLOCK), reject()))
        scribe.write(batch)
    return number


def test_no_number_names_another_home_after_a_restore(state: Path, backup: Path) -> None:
    """After two restores with alarms in between, each alarm of the day has a number of its own."""
    numbers = [open_an_alarm(state)]
    restored(backup, state)
    numbers += [open_an_alarm(state), open_an_alarm(state)]
    shutil.move(str(next(state.glob("replaced-*"))), state / "replaced-earlier")
    restored(backup, state)
    numbers.append(open_an_alarm(state))

    assert numbers == [2, 3, 4, 5]
    assert list(inspect(state, CLOCK)) == []
    with Archive(state) as archive:
        (row,) = archive.read("SELECT max(id) AS reject FROM rejects")
    assert row["reject"] == 5, "people refer to rejects by number too"


def test_a_backup_of_a_restored_journal_still_knows_its_numbers(state: Path, backup: Path, tmp_path: Path) -> None:
    """No report came since, so the backup has no row with those numbers, but still does not give them out."""
    open_an_alarm(state)
    restored(backup, state)
    again = tmp_path / "again"
    back_up(state, again, CLOCK, FreeSpace(state, reserve=0))
    shutil.rmtree(state)
    done = restored(again, state)
    assert done.numbers == {table: number + LEAP[table] for table, number in AFTER_ONE.items()}
    assert open_an_alarm(state) == 3 + LEAP["alarms"]
    assert list(inspect(state, CLOCK)) == []


AFTER_ONE = {"signals": 65, "alarms": 3, "rejects": 3, "incidents": 1}


def test_unknown_numbers_are_skipped(state: Path, backup: Path) -> None:
    """The replaced journal is damaged, so its last numbers are unknown and a gap is left."""
    (state / JOURNAL).write_bytes(b"garbage" * 1000)
    restored(backup, state)
    assert open_an_alarm(state) == 2 + LEAP["alarms"]
    assert list(inspect(state, CLOCK)) == []


def test_unreadable_journals_one_after_the_other_share_no_number(state: Path, backup: Path) -> None:
    """Each restore remembers where the journal after it begins, even if that journal cannot be read by the next one."""
    numbers = []
    for count in range(3):
        (state / JOURNAL).write_bytes(b"garbage" * 1000)
        aside = restored(backup, state).aside
        assert aside is not None
        aside.rename(state / f"aside-{count}")
        numbers.append(open_an_alarm(state))
    assert numbers == [2 + LEAP["alarms"] * count for count in (1, 2, 3)]


def test_a_new_machine_is_restored(backup: Path, tmp_path: Path) -> None:
    """There is no state directory yet, so no file is replaced."""
    fresh = tmp_path / "elsewhere" / "state"
    done = restored(backup, fresh)

    assert (done.aside, done.replaced_head) == (None, None)
    assert last_signal(fresh) == 60
    assert accounts(fresh) == ["0001"]


def test_a_damaged_journal_is_replaced(state: Path, backup: Path) -> None:
    """The damaged file is kept, because parts of it may still be readable."""
    (state / JOURNAL).write_bytes(b"garbage" * 1000)
    done = restored(backup, state)

    assert done.replaced_head is None
    assert last_signal(state) == 60
    assert done.aside is not None
    assert (done.aside / JOURNAL).read_bytes() == b"garbage" * 1000


def test_a_log_is_not_applied_to_another_journal(state: Path, backup: Path) -> None:
    """The log that a killed receiver left is kept together with the old journal."""
    (state / f"{JOURNAL}-wal").write_bytes(b"log")
    (state / f"{JOURNAL}-shm").write_bytes(b"index")
    (state / f"{REGISTRY}-journal").write_bytes(b"rollback")
    done = restored(backup, state)

    assert done.aside is not None
    assert (done.aside / f"{JOURNAL}-wal").read_bytes() == b"log"
    assert {path.name for path in done.aside.iterdir()} == {
        JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", REGISTRY, f"{REGISTRY}-journal",
    }  # fmt: skip
    assert last_signal(state) == 60


def test_a_registry_stays_if_the_backup_has_none(tmp_path: Path) -> None:
    """A backup without a registry does not remove the accounts."""
    state, target = tmp_path / "state", tmp_path / "backup"
    write_a_story(state)
    back_up(state, target, CLOCK, FreeSpace(state, reserve=0))
    register(state, "0001,H-1,,")
    restored(target, state)

    assert accounts(state) == ["0001"]


def test_a_journal_of_an_older_schema_is_brought_up_to_date(state: Path, backup: Path) -> None:
    """An old backup, as after a failed upgrade, gets this program's schema, so readers can read it at once."""
    with closing(sqlite3.connect(backup / JOURNAL)) as connection:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        (restored_at,) = connection.execute("SELECT max(number) FROM migrations").fetchone()
    assert schema == restored_at
    restored(backup, state)
    with closing(sqlite3.connect(state / JOURNAL)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema,)


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_dry_run_changes_nothing(state: Path, backup: Path) -> None:
    """A dry run returns what would be replaced and where it would be kept."""
    before = contents(state)
    done = restored(backup, state, dry_run=True)

    assert contents(state) == before
    assert done.aside is not None
    assert not done.aside.exists()
    assert done.replaced_head is not None


def test_a_restore_is_refused_while_a_receiver_runs(state: Path, backup: Path) -> None:
    """The receiver must be stopped first; the error names its process."""
    before = contents(state)
    with closing(Journal(state, CLOCK)), pytest.raises(StoreError, match=f"process {os.getpid()} is writing") as caught:
        restored(backup, state)
    assert "a receiver uses this state directory: stop it" in caught.value.remedy
    assert contents(state) == before


def test_a_restore_is_refused_while_a_command_writes_the_registry(state: Path, backup: Path) -> None:
    """A restore is refused while an import runs."""
    with writing(state, CLOCK), pytest.raises(StoreError, match=r"registry.lock: process \d+ is writing"):
        restored(backup, state)


def test_a_backup_that_is_not_what_its_manifest_says_is_refused(state: Path, backup: Path) -> None:
    """The checksum is compared during the copy, before any file is exchanged."""
    before = contents(state)
    with (backup / REGISTRY).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(StoreError, match="is not the file that was backed up"):
        restored(backup, state)
    assert contents(state) == before


def test_a_directory_without_a_manifest_is_refused(state: Path, tmp_path: Path) -> None:
    """A directory without a manifest is not restored."""
    with pytest.raises(StoreError, match=MANIFEST):
        restored(tmp_path, state)


def test_a_disk_without_room_is_reported_first(state: Path, backup: Path) -> None:
    """The room is checked before any file is moved."""
    before = contents(state)
    with pytest.raises(StoreError, match="has room for"):
        restore(backup, state, CLOCK, FreeSpace(state, reserve=1 << 60), actor="enric")
    assert contents(state) == before


# --- interrupted ------------------------------------------------------------------------------------------------------


def test_a_restore_that_is_interrupted_while_it_copies_changes_nothing(state: Path, backup: Path) -> None:
    """Ctrl-C before the exchange changes nothing."""
    before = contents(state)

    def interrupt(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restored(backup, state, progress=interrupt)
    assert contents(state) == before
    Journal(state, CLOCK).close()


def test_a_restore_that_was_interrupted_half_way_stops_receivers_until_it_is_complete(
    state: Path, backup: Path
) -> None:
    """After a power cut between two files no receiver starts, and the same restore completes the exchange."""
    aside = state / "replaced-earlier"
    aside.mkdir()
    (state / UNFINISHED_RESTORE).touch()
    (state / JOURNAL).rename(aside / JOURNAL)
    (state / INCOMING).mkdir()
    (state / INCOMING / JOURNAL).write_bytes(b"half a copy")

    with pytest.raises(StoreError, match="a restore was interrupted half way"):
        Journal(state, CLOCK)
    assert not (state / JOURNAL).exists(), "no empty journal was made"

    restored(backup, state)

    assert not (state / UNFINISHED_RESTORE).exists()
    assert not (state / INCOMING).exists()
    assert last_signal(state) == 60
    assert (aside / JOURNAL).exists()
    Journal(state, CLOCK).close()


def test_a_second_restore_in_one_second_keeps_its_replaced_files_apart(state: Path, backup: Path) -> None:
    """The directory of the files that were replaced before is not overwritten."""
    earlier = state / "replaced-20260101T000000Z"
    earlier.mkdir()
    done = restored(backup, state)
    assert done.aside == state / "replaced-20260101T000000Z-2"
    assert list(earlier.iterdir()) == []
    Journal(state, CLOCK).close()


def test_files_belong_to_the_owner_of_the_directory(state: Path, backup: Path) -> None:
    """After a restore by root, the receiver's user must be able to write."""
    owner = (1234, 1235) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    for path in (state, *state.iterdir()):
        os.chown(path, *owner)
    done = restored(backup, state)
    assert done.aside is not None
    for path in (state / JOURNAL, state / REGISTRY, done.aside):
        assert (path.stat().st_uid, path.stat().st_gid) == owner
