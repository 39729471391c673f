"""Backups are whole or do not exist. They are made beside a working receiver, and never disturb it."""

from __future__ import annotations

import hashlib
import json
import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import Scribe, journal, report, write_a_story
from tests.rigs.permissions import reachable_directory, unprivileged
from tests.rigs.registered_homes import register
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError, UsageError
from vetlla.store.backups.backup import MANIFEST, Manifest, back_up
from vetlla.store.backups.inspection import inspect
from vetlla.store.journal import audit, history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.free_space import FreeSpace, free
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = ManualClock()
ROOT = Path(__file__).parents[3]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory with a journal, two accounts and a keys file."""
    state = tmp_path / "state"
    write_a_story(state)
    register(state, "0001,H-1,,", "0002,H-1,,")
    (state / "keys.toml").write_text("secret", encoding="utf-8")
    return state


def room(state: Path) -> FreeSpace:
    return FreeSpace(state, reserve=0)


def made(state: Path, target: Path) -> Manifest:
    return back_up(state, target, CLOCK, room(state))


def leftovers(target: Path) -> list[Path]:
    return sorted(target.parent.glob(f"{target.name}*"))


# --- content ----------------------------------------------------------------------------------------------------------


def test_a_backup_holds_journal_registry_and_manifest_and_no_keys(state: Path, tmp_path: Path) -> None:
    """A backup is three closed files without a log and without keys."""
    target = tmp_path / "backup"
    manifest = made(state, target)

    assert sorted(path.name for path in target.iterdir()) == [JOURNAL, MANIFEST, REGISTRY]
    assert "secret" not in "".join(path.read_text("latin-1") for path in target.iterdir())
    assert Manifest.read(target) == manifest
    for name, copy in manifest.files.items():
        content = (target / name).read_bytes()
        assert (copy.bytes, copy.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest.made == "2026-01-01T00:00:00.000000Z"
    assert manifest.last_signal == 60
    with Archive(state) as archive:
        assert manifest.head == str(audit.head_of(archive.read))
    assert list(inspect(target, CLOCK)) == []
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o640}
    assert target.stat().st_mode & 0o777 == 0o750


def test_the_manifest_is_for_people_and_machines(state: Path, tmp_path: Path) -> None:
    """It is JSON: the time, the version, the audit's head, and each file's size, checksum and schema."""
    made(state, tmp_path / "backup")
    said = json.loads((tmp_path / "backup" / MANIFEST).read_text(encoding="utf-8"))

    assert set(said) == {"made", "vetlla", "head", "last_signal", "files", "reminders_head", "cards_head"}
    assert set(said["files"]) == {JOURNAL, REGISTRY}
    assert set(said["files"][JOURNAL]) == {"bytes", "sha256", "schema"}


def test_a_service_without_registry_can_be_backed_up(tmp_path: Path) -> None:
    """No account is registered yet, but the journal is backed up."""
    write_a_story(tmp_path / "state")

    assert set(made(tmp_path / "state", tmp_path / "backup").files) == {JOURNAL}


def test_a_journal_of_an_older_schema_can_be_backed_up(state: Path, tmp_path: Path) -> None:
    """A backup matters most when the new version is installed and the receiver is not restarted yet."""
    with closing(sqlite3.connect(state / JOURNAL)) as connection:
        connection.execute("PRAGMA user_version = -1")
    manifest = made(state, tmp_path / "backup")

    assert manifest.files[JOURNAL].schema == -1
    assert list(inspect(tmp_path / "backup", CLOCK)) == []


# --- beside a receiver ------------------------------------------------------------------------------------------------


def test_a_running_receiver_is_backed_up_as_of_one_moment(tmp_path: Path) -> None:
    """Commits and checkpoints go on during the copy. The copy shows a state that existed, with a whole chain."""
    state, target = tmp_path / "state", tmp_path / "backup"
    with journal(state) as scribe:
        scribe.commit(*(report(number, raw=bytes(2000)) for number in range(3000)))
        scribe.journal._checkpoint_pages = 50
        steps: list[int] = []

        def commit_meanwhile(done: int, _: int) -> None:
            scribe.commit(*(report(number) for number in range(100)))
            scribe.journal.checkpoint()
            steps.append(done)

        manifest = back_up(state, target, CLOCK, room(state), commit_meanwhile)

        assert len(steps) > 3, "the copy has several steps and did not begin again"
        assert steps == sorted(steps)
        assert manifest.last_signal == 3000, "the copy shows the state at its beginning"
        assert scribe.next_signal == 3001 + 100 * len(steps)
        assert list(inspect(target, CLOCK)) == []
        assert list(inspect(state, CLOCK)) == []


def test_a_receiver_that_starts_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    """A copy that began without a receiver's locks begins again with them."""
    state, target = tmp_path / "state", tmp_path / "backup"
    with journal(state) as scribe:
        scribe.commit(*(report(number, raw=bytes(2000)) for number in range(2000)))
    started: list[Scribe] = []

    def start(_: int, __: int) -> None:
        if not started:
            started.append(Scribe(state, CLOCK))
            started[0].commit(*(report(number) for number in range(50)))
            started[0].journal.resume()  # this writes to the pages that are being copied

    manifest = back_up(state, target, CLOCK, room(state), start)
    started[0].journal.close()

    assert manifest.last_signal == 2050
    assert list(inspect(target, CLOCK)) == []


def test_the_writer_never_waits_for_a_backup(tmp_path: Path) -> None:
    """A backup that stops in the middle does not hold back a commit or a checkpoint of another thread."""
    state, target = tmp_path / "state", tmp_path / "backup"
    scribe = Scribe(state, CLOCK)
    scribe.commit(*(report(number, raw=bytes(2000)) for number in range(3000)))
    in_the_middle, go_on = threading.Event(), threading.Event()

    def stand_still(_: int, __: int) -> None:
        in_the_middle.set()
        assert go_on.wait(20)

    copying = threading.Thread(target=back_up, args=(state, target, CLOCK, room(state), stand_still))
    copying.start()
    try:
        assert in_the_middle.wait(20)
        for number in range(50):
            scribe.commit(report(number))
            scribe.journal._checkpoint_pages = 0
            scribe.journal.checkpoint()
        with Archive(state) as archive:
            assert history.last_number(archive, history.SIGNALS) == 3050
    finally:
        go_on.set()
        copying.join(20)
        scribe.journal.close()
    assert Manifest.read(target).last_signal == 3000


def test_the_files_of_a_killed_receiver_are_backed_up(tmp_path: Path) -> None:
    """Its last commits are in the log, and the copy includes them."""
    state = tmp_path / "state"
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.rigs.journals import Scribe, report;"
        "from vetlla.domain.clock import ManualClock; scribe = Scribe(Path(sys.argv[1]), ManualClock());"
        "scribe.commit(report(1), report(2)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(state)], check=False, cwd=ROOT)

    assert made(state, tmp_path / "backup").last_signal == 2
    assert list(inspect(tmp_path / "backup", CLOCK)) == []


# --- never at the receiver's cost -------------------------------------------------------------------------------------


def test_it_gives_up_when_the_log_grows_too_long(tmp_path: Path) -> None:
    """A long read keeps the log from starting over. The backup stops at a bound, because the receiver comes first."""
    state, target = tmp_path / "state", tmp_path / "backup"
    with journal(state) as scribe:
        scribe.commit(*(report(number, raw=bytes(2000)) for number in range(3000)))
        tight = FreeSpace(state, reserve=0, log_growth=1 << 20)
        with pytest.raises(StoreError, match="has grown too long meanwhile"):
            back_up(
                state, target, CLOCK, tight,
                lambda *_: scribe.commit(*(report(number, raw=bytes(2000)) for number in range(200))),
            )  # fmt: skip
        assert leftovers(target) == []
        assert (made(state, target).last_signal or 0) > 3000


def test_it_does_not_begin_without_room(state: Path, tmp_path: Path) -> None:
    """On the receiver's disk the reserve stays free. The error says how much room there is and how much is needed."""
    greedy = FreeSpace(state, reserve=free(tmp_path) + (1 << 40))
    with pytest.raises(StoreError, match=r"has room for 0 MiB if \d+ MiB are left to the receiver"):
        back_up(state, tmp_path / "backup", CLOCK, greedy)
    assert leftovers(tmp_path / "backup") == []


def test_it_gives_up_when_the_disk_gets_low(state: Path, tmp_path: Path) -> None:
    """Another program fills the disk meanwhile, so the unfinished copy is removed."""

    class Filling(FreeSpace):
        def for_bytes(self, wanted: int, where: Path) -> None:
            super().for_bytes(wanted, where)
            self._reserve = 1 << 60

    with pytest.raises(StoreError, match="would be left to the receiver"):
        back_up(state, tmp_path / "backup", CLOCK, Filling(state, reserve=0))
    assert leftovers(tmp_path / "backup") == []


# --- whole or none ----------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(state: Path, tmp_path: Path) -> None:
    """Neither a backup nor another file with that name is overwritten."""
    target = tmp_path / "backup"
    made(state, target)
    before = Manifest.read(target)
    with pytest.raises(UsageError, match="is there already"):
        made(state, target)
    assert Manifest.read(target) == before


def test_an_interrupted_backup_leaves_nothing(state: Path, tmp_path: Path) -> None:
    """After Ctrl-C in the middle there is no directory that looks like a backup, and no part of one."""

    def interrupt(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(state, tmp_path / "backup", CLOCK, room(state), interrupt)
    assert leftovers(tmp_path / "backup") == []


def test_a_backup_that_was_killed_is_reported(state: Path, tmp_path: Path) -> None:
    """The remains do not have the backup's name, and the next backup says what to do about them."""
    (tmp_path / "backup.unfinished").mkdir()
    with pytest.raises(StoreError, match="another backup is being made, or one was interrupted"):
        made(state, tmp_path / "backup")


def test_a_place_that_cannot_be_written_is_reported(state: Path, tmp_path: Path) -> None:
    """The directory does not exist or belongs to another user."""
    with pytest.raises(StoreError, match="No such file or directory"):
        made(state, tmp_path / "nowhere" / "backup")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Not a directory"):
        made(state, tmp_path / "file" / "backup")


def test_a_state_directory_without_journal_is_reported(tmp_path: Path) -> None:
    """No empty backup is left that a person could trust."""
    with pytest.raises(StoreError, match="there is no journal"):
        made(tmp_path, tmp_path / "backup")
    assert leftovers(tmp_path / "backup") == []


def test_a_user_who_may_only_read_can_make_a_backup() -> None:
    """A member of the group needs only the right to read the state directory."""
    with reachable_directory() as folder:
        state, target = folder / "state", folder / "target"
        write_a_story(state)
        register(state, "0001,H-1,,")
        target.mkdir()
        target.chmod(0o777)
        for path in (state, *state.iterdir()):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with unprivileged():
            assert made(state, target / "backup").last_signal == 60
            assert list(inspect(target / "backup", CLOCK)) == []
        state.chmod(0o755)


def test_a_damaged_journal_is_not_passed_off_as_a_backup(state: Path, tmp_path: Path) -> None:
    """Pages that cannot be read stop the copy, or the verification of the copy finds them."""
    with (state / JOURNAL).open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xff" * 4096)
    try:
        made(state, tmp_path / "backup")
    except StoreError as error:
        assert "malformed" in str(error)  # noqa: PT017 - the copy may fail, or its verification may find the damage
        assert leftovers(tmp_path / "backup") == []
    else:
        assert list(inspect(tmp_path / "backup", CLOCK))


@contextmanager
def full_disk() -> Iterator[None]:
    """Limit files to 64 KiB, which has the effect of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_nothing(state: Path, tmp_path: Path) -> None:
    """A copy that does not fit is reported and removed."""
    with full_disk(), pytest.raises(StoreError, match="cannot be copied: "):
        made(state, tmp_path / "backup")
    assert leftovers(tmp_path / "backup") == []
