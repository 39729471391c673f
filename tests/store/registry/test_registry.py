"""registry.db has one writer and many readers, and no change is lost between them."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import unprivileged
from vetlla.domain.clock import Clock, ManualClock
from vetlla.domain.errors import AccessError, StoreError
from vetlla.store.registry import registry
from vetlla.store.registry.registry import LOCK, PATIENCE_S, REGISTRY, reading, stamp, writing
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


CLOCK = ManualClock()
ADD = """INSERT INTO accounts (account, receiver, line, home, key_name, clock_window, interval_s, support_level, remaps)
VALUES (?, '', '', '', '', 'standard', 0, 0, '')"""


def add(state_dir: Path, account: str) -> None:
    with writing(state_dir, CLOCK) as db, atomic(db):
        db.execute(ADD, (account,))


def accounts(state_dir: Path, *, patience_s: float = PATIENCE_S) -> list[str]:
    with reading(state_dir, CLOCK, patience_s=patience_s) as db:
        return held(db)


def held(db: sqlite3.Connection) -> list[str]:
    return [account for (account,) in db.execute("SELECT account FROM accounts ORDER BY account")]


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another process that runs ``code`` on the registry."""
    text = "import sys\nfrom pathlib import Path\nfrom vetlla.domain.clock import ManualClock\n"
    text += f"from vetlla.store.registry.registry import writing\nADD = {ADD!r}\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


HOLD = """
with writing(Path(sys.argv[1]), ManualClock()) as db:
    print("open", flush=True)
    sys.stdin.read()
"""
DIE = """
import os, signal
with writing(Path(sys.argv[1]), ManualClock()) as db:
    db.execute("PRAGMA cache_spill = 10")
    db.execute("PRAGMA cache_size = 10")
    db.execute("BEGIN")
    db.executemany(ADD, [(f"{n:060}",) for n in range(5000)])
    print("written", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_reads_what_a_writer_commits(tmp_path: Path) -> None:
    """The first writer makes the directory and the file, which only the service's group may read."""
    state_dir = tmp_path / "state"
    add(state_dir, "1234")

    assert accounts(state_dir) == ["1234"]
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o750
    assert stat.S_IMODE((state_dir / REGISTRY).stat().st_mode) == 0o640
    assert stat.S_IMODE((state_dir / LOCK).stat().st_mode) == 0o640


def test_the_file_has_its_permissions_whatever_the_umask(tmp_path: Path) -> None:
    """A command with umask 0 opens no file to others, and one with 077 does not lock the group out."""
    for mask in (0o000, 0o077):
        before = os.umask(mask)
        try:
            add(tmp_path / str(mask), "1")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / str(mask) / REGISTRY).stat().st_mode) == 0o640


def test_files_that_root_makes_belong_to_the_directorys_owner(tmp_path: Path) -> None:
    """After an engineer's sudo, the receiver's user can still read the registry."""
    owner = (4711, 4712) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(tmp_path, *owner)
    add(tmp_path, "1")

    for name in (REGISTRY, LOCK):
        status = (tmp_path / name).stat()
        assert (status.st_uid, status.st_gid) == owner


def test_before_the_first_writer_the_registry_is_empty(tmp_path: Path) -> None:
    """A receiver can start before any account is registered, and reading makes no file."""
    assert accounts(tmp_path) == []
    assert stamp(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_state_directory_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """A wrong --state-dir is an error, not an empty registry."""
    with pytest.raises(StoreError, match=r"nowhere: No such file or directory\n  -> is --state-dir right"):
        accounts(tmp_path / "nowhere")


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The daemon only reads the registry and cannot write to it by mistake."""
    add(tmp_path, "1")

    with pytest.raises(StoreError, match="readonly"), reading(tmp_path, CLOCK) as db:
        db.execute(ADD, ("2",))
    assert accounts(tmp_path) == ["1"]


def test_an_error_leaves_nothing_of_the_transaction(tmp_path: Path) -> None:
    """A transaction is stored as a whole or not at all."""

    def fail_half_way() -> None:
        with writing(tmp_path, CLOCK) as db, atomic(db):
            db.execute(ADD, ("1",))
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()

    assert accounts(tmp_path) == []


def test_the_stamp_changes_with_every_commit(tmp_path: Path) -> None:
    """Two commits within one tick of the kernel's clock have different stamps, and reading changes no stamp."""
    seen = set()
    for number in range(20):
        add(tmp_path, str(number))
        seen.add(stamp(tmp_path))
        accounts(tmp_path)
        assert stamp(tmp_path) in seen

    assert len(seen) == 20


def test_a_restored_registry_has_another_stamp(tmp_path: Path) -> None:
    """A file that replaces another is noticed, even with the same times and size."""
    add(tmp_path, "1")
    before = stamp(tmp_path)
    shutil.copy2(tmp_path / REGISTRY, tmp_path / "backup")
    (tmp_path / "backup").replace(tmp_path / REGISTRY)

    assert stamp(tmp_path) != before


def test_a_second_writer_is_refused_with_the_firsts_process_id(tmp_path: Path) -> None:
    """Only one process can write. The error names that process, and readers are not kept out."""
    add(tmp_path, "1")
    with child(HOLD, tmp_path) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"

        with pytest.raises(StoreError, match=rf"registry.lock: process {other.pid} is writing\n  -> wait"):
            add(tmp_path, "2")
        assert accounts(tmp_path) == ["1"]

    add(tmp_path, "2")
    assert accounts(tmp_path) == ["1", "2"]


def test_a_writer_that_is_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    """The first reader rolls the incomplete commit back. The lock is free, so the next writer can write."""
    add(tmp_path, "1")
    with child(DIE, tmp_path) as other:
        assert other.wait(30) == -signal.SIGKILL
    assert (tmp_path / f"{REGISTRY}-journal").exists()

    assert accounts(tmp_path) == ["1"]
    add(tmp_path, "2")
    assert accounts(tmp_path) == ["1", "2"]


def test_a_reader_waits_for_a_commit(tmp_path: Path) -> None:
    """The daemon waits while an import commits, and then reads all of it without an error."""
    add(tmp_path, "1")
    blocker = sqlite3.connect(tmp_path / REGISTRY, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    blocker.execute(ADD, ("2",))
    release = threading.Timer(0.2, blocker.execute, ("COMMIT",))
    release.start()

    assert accounts(tmp_path) == ["1", "2"]
    release.join()
    blocker.close()


def test_a_registry_held_too_long_is_reported(tmp_path: Path) -> None:
    """A reader waits for a limited time; the error has a remedy."""
    add(tmp_path, "1")
    blocker = sqlite3.connect(tmp_path / REGISTRY, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError, match=r"database is locked\n  -> another process holds it"):
        accounts(tmp_path, patience_s=0.0)
    blocker.close()


def test_a_registry_that_is_taken_away_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that wants the last committed state but finds no file raises; it does not return an empty registry."""
    add(tmp_path, "1")
    blocker = sqlite3.connect(tmp_path / REGISTRY, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    last_committed = registry._last_committed

    def taken_away(path: Path) -> sqlite3.Connection | None:
        path.unlink()
        return last_committed(path)

    monkeypatch.setattr(registry, "_last_committed", taken_away)
    with pytest.raises(StoreError, match=r"was removed during the read\n  -> try again"):
        accounts(tmp_path, patience_s=0.0)
    blocker.close()


def test_an_older_registry_is_read_without_being_changed(tmp_path: Path) -> None:
    """After an upgrade the receiver starts at once, and the next writer migrates the file."""
    path = tmp_path / REGISTRY
    old = sqlite3.connect(path)
    old.executescript(migrations("registry")[0].sql)
    old.execute(ADD, ("1",))
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    before = path.read_bytes()

    with reading(tmp_path, CLOCK) as db:
        assert held(db) == ["1"]
        assert db.execute("PRAGMA user_version").fetchone() == (migrations("registry")[-1].number,)
    assert path.read_bytes() == before

    add(tmp_path, "2")
    with reading(tmp_path, CLOCK) as db:
        assert held(db) == ["1", "2"]
    new = sqlite3.connect(path)
    assert new.execute("PRAGMA user_version").fetchone() == (migrations("registry")[-1].number,)
    new.close()


@pytest.mark.parametrize("opened", [reading, writing])
def test_a_newer_registry_is_refused(
    tmp_path: Path, opened: Callable[[Path, Clock], AbstractContextManager[sqlite3.Connection]]
) -> None:
    """An old program does not touch a schema that it does not know."""
    add(tmp_path, "1")
    newer = sqlite3.connect(tmp_path / REGISTRY)
    newer.execute("PRAGMA user_version = 99")
    newer.close()

    with pytest.raises(StoreError, match=r"schema 99 is newer than this program's \d+\n  -> run the Vetlla version"):
        opened(tmp_path, CLOCK).__enter__()


@pytest.mark.parametrize("content", [b"this is no database at all, but long enough to be read as one" * 50, None])
def test_a_damaged_registry_is_reported(tmp_path: Path, content: bytes | None) -> None:
    """The remedy is the backup, for a file of another kind as for an incomplete one."""
    add(tmp_path, "1")
    path = tmp_path / REGISTRY
    path.write_bytes(content or path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096))

    with pytest.raises(StoreError, match=r"registry.db: .*\n  -> restore the last backup: vetlla db restore"):
        accounts(tmp_path)


def test_a_directory_that_cannot_be_written_is_reported(reachable: Path) -> None:
    """The error names the file and the cause, and the remedy names the directory."""
    reachable.chmod(0o555)  # without root, the user who runs the tests owns the directory
    for place in (reachable, reachable / "state"):
        with unprivileged(), pytest.raises(AccessError, match=rf"may not write {reachable}: Permission denied\n"):
            add(place, "1")


def test_a_reader_without_permission_is_reported(reachable: Path) -> None:
    """The error tells an operator outside the service's group that the permission is missing."""
    add(reachable, "1")
    (reachable / REGISTRY).chmod(0o000)

    with unprivileged(), pytest.raises(AccessError, match=f"may not read {reachable}.*: unable to open database file"):
        accounts(reachable)


def test_a_reader_who_may_only_read_reads(reachable: Path) -> None:
    """The service's group needs no write permission to list accounts."""
    add(reachable, "1")
    (reachable / REGISTRY).chmod(0o444)
    reachable.chmod(0o555)

    with unprivileged():
        assert accounts(reachable) == ["1"]


def test_a_fault_of_the_program_is_not_reported_as_one_of_the_disk(tmp_path: Path) -> None:
    """Wrong SQL raises SQLite's own error."""
    with pytest.raises(sqlite3.OperationalError, match="no such table"), reading(tmp_path, CLOCK) as db:
        db.execute("SELECT 1 FROM nowhere")


def test_a_file_in_the_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    """A file where the directory should be gives an error without a traceback."""
    (tmp_path / "state").touch()

    with pytest.raises(StoreError, match="is --state-dir right"):
        add(tmp_path / "state", "1")
    with pytest.raises(StoreError, match="is --state-dir right"):
        stamp(tmp_path / "state")


def test_a_full_disk_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    """A commit that does not fit fails as a whole."""
    add(tmp_path, "1")

    def fill() -> None:
        with writing(tmp_path, CLOCK) as db:
            db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
            with atomic(db):
                db.executemany(ADD, [(f"{number:060}",) for number in range(1000)])

    with pytest.raises(StoreError, match=r"full\n  -> make room on the disk"):
        fill()
    assert accounts(tmp_path) == ["1"]
