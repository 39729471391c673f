"""The store never writes through a link, nor to a file of a user who may not have files in the directory."""

from __future__ import annotations

import os
import socket
import stat
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.inodes import set_mode
from vetlla.domain.permissions import no_link
from vetlla.store.backups.backup import back_up
from vetlla.store.backups.restore import restore
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL, LOCK
from vetlla.store.registry.registry import LOCK as REGISTRY_LOCK
from vetlla.store.registry.registry import REGISTRY, reading, writing
from vetlla.store.secrets.changes import set_key
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.ownership import create, make_directory
from vetlla.tables import target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLOCK = ManualClock()
VICTIM = b"root's own, and it stays as it is\n"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Make a file in another directory, to which a planted link leads."""
    path = tmp_path / "elsewhere" / "shadow"
    path.parent.mkdir()
    path.write_bytes(VICTIM)
    path.chmod(0o600)
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory with a journal and a registry."""
    state = tmp_path / "state"
    Journal(state, CLOCK).close()
    with writing(state, CLOCK):
        pass
    return state


def write_registry(state: Path) -> None:
    with writing(state, CLOCK):
        pass


def write_row(state: Path) -> None:
    with writing(state, CLOCK) as db:
        db.execute("CREATE TABLE written (id INTEGER)")


def read_registry(state: Path) -> None:
    with reading(state, CLOCK):
        pass


def start(state: Path) -> None:
    Journal(state, CLOCK).close()


def change_keys(state: Path) -> None:
    set_key(state / "keys.toml", "north", bytes(16), by="eva", now=datetime(2026, 1, 1, tzinfo=UTC))


ATTACKS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "journal": (JOURNAL, start),
    "journal's lock": (LOCK, start),
    "registry, written": (REGISTRY, write_registry),
    "registry, read": (REGISTRY, read_registry),
    "registry's lock": (REGISTRY_LOCK, write_registry),
    "lock of the keys": ("keys.toml.lock", change_keys),
}


def untouched(victim: Path) -> bool:
    """Return True if content, permissions and owner are as before."""
    status = victim.stat()
    return (victim.read_bytes(), stat.S_IMODE(status.st_mode), status.st_uid) == (VICTIM, 0o600, os.geteuid())


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("dangling", [False, True], ids=["leads to a file", "leads nowhere"])
def test_a_link_in_a_file_s_place_is_not_followed(state: Path, victim: Path, attack: str, *, dangling: bool) -> None:
    """The receiver's user could plant a link, and root's next command would empty or create a file like /etc/shadow."""
    name, deed = ATTACKS[attack]
    path = state / name
    path.unlink(missing_ok=True)
    path.symlink_to(victim.with_name("new") if dangling else victim)
    with pytest.raises(StoreError, match="is a symbolic link") as refused:
        deed(state)
    assert str(path) in refused.value.args[0]
    assert refused.value.remedy
    assert untouched(victim)
    assert not victim.with_name("new").exists()


BESIDE: dict[str, Callable[[Path], None]] = {
    f"{JOURNAL}-wal": start,
    f"{JOURNAL}-shm": start,
    f"{REGISTRY}-journal": write_row,
    "keys.toml.new": change_keys,
    f"{REGISTRY}.new": write_row,
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("dangling", [False, True], ids=["leads to a file", "leads nowhere"])
def test_links_beside_a_file_are_not_followed_either(state: Path, victim: Path, name: str, *, dangling: bool) -> None:
    """For logs and unfinished files, SQLite and the store refuse a link, or replace it with the file itself."""
    (state / name).symlink_to(victim.with_name("new") if dangling else victim)
    with suppress(StoreError):
        BESIDE[name](state)
    assert untouched(victim)
    assert not victim.with_name("new").exists()


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_pipe_in_a_file_s_place_blocks_no_command(state: Path, attack: str) -> None:
    """Opening a pipe would wait for its other end for ever."""
    name, deed = ATTACKS[attack]
    (state / name).unlink(missing_ok=True)
    os.mkfifo(state / name)
    with pytest.raises(StoreError, match="is no plain file"):
        deed(state)


@pytest.mark.parametrize("attack", ATTACKS)
def test_another_user_s_file_is_not_written(state: Path, attack: str) -> None:
    """The file does not belong to the directory's owner, like a hard link to a file of root."""
    if os.geteuid() != 0:
        return  # only root can give a file to another user
    name, deed = ATTACKS[attack]
    (state / name).touch()
    for path in (state, *state.iterdir()):
        os.chown(path, 1234, 1235)
    os.chown(state / name, 0, 0)
    with pytest.raises(StoreError, match="belongs to root, and its directory to 1234") as refused:
        deed(state)
    assert f"chown 1234 {state / name}" in refused.value.remedy


def test_owner_and_permissions_go_to_the_file_and_not_to_its_name(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's name is replaced by a link between its creation and the change of its owner."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 1234, 1235)

    def exchanged(deed: Callable[..., None]) -> Callable[..., None]:
        def do(descriptor: int, *arguments: int) -> None:
            path = tmp_path / "made"
            if not path.is_symlink():
                (path.rmdir if path.is_dir() else path.unlink)()
                path.symlink_to(victim)
            deed(descriptor, *arguments)

        return do

    monkeypatch.setattr(os, "fchmod", exchanged(os.fchmod))
    os.close(create(tmp_path / "made", 0o644))
    assert untouched(victim)
    (tmp_path / "made").unlink()
    make_directory(tmp_path / "made", 0o755)
    assert untouched(victim)


def test_permissions_of_a_socket_are_not_set_through_a_link(tmp_path: Path, victim: Path) -> None:
    """The control socket's name is replaced by a link before a reload sets the permissions."""
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tmp_path / "socket"))
        set_mode(tmp_path / "socket", 0o600)
        assert stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
    (tmp_path / "socket").unlink()
    (tmp_path / "socket").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        set_mode(tmp_path / "socket", 0o666)
    assert untouched(victim)


def test_a_restore_does_not_follow_links_either(state: Path, tmp_path: Path, victim: Path) -> None:
    """Links in place of the marker, the incoming directory and the replaced files are not followed."""
    backup = tmp_path / "backup"
    back_up(state, backup, CLOCK, FreeSpace(state, reserve=0))
    (state / "restore.unfinished").symlink_to(victim.with_name("new"))
    (state / REGISTRY).unlink()
    (state / REGISTRY).symlink_to(victim)
    done = restore(backup, state, CLOCK, FreeSpace(state, reserve=0), actor="eva")
    assert untouched(victim)
    assert not victim.with_name("new").exists()
    assert not (state / REGISTRY).is_symlink()
    assert done.aside is not None
    start(state)


def test_an_export_does_not_write_through_a_planted_link(tmp_path: Path, victim: Path) -> None:
    """Root exports into a directory that others can write to, and they can guess the name of the unfinished file."""
    path = tmp_path / "report.csv"
    planted = path.with_name(f".{path.name}.{os.getpid()}")
    planted.symlink_to(victim)
    target.write(path, ["a"], [["b"]], "sheet")
    assert path.read_text(encoding="utf-8").split() == ['"a"', '"b"']
    assert untouched(victim)


@pytest.mark.parametrize("flags", [os.O_TRUNC, os.O_APPEND], ids=["files of a simulation", "log of a demonstration"])
def test_other_files_are_not_written_through_links(tmp_path: Path, victim: Path, flags: int) -> None:
    """These files have fixed names in a directory that a person chose."""
    path = tmp_path / "accounts.csv"
    os.close(no_link(path, flags))
    os.close(no_link(path, flags))
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        no_link(path, flags)
    assert untouched(victim)


def test_an_export_does_not_overwrite_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export once wrote to any existing path that was not a file, even to /dev/sda through a harmless link name."""
    path = tmp_path / "report.csv"
    path.mkdir()
    monkeypatch.setattr(type(path), "is_block_device", lambda _: True)
    with pytest.raises(UsageError, match="is a disk"):
        target.write(path, ["a"], [["b"]], "sheet")


def test_a_lock_that_is_ours_is_held(tmp_path: Path) -> None:
    """The lock can also be held a second time, when the file exists already."""
    for _ in range(2):
        with ExitStack() as stack:
            stack.enter_context(exclusive(tmp_path / "a.lock"))
            with pytest.raises(StoreError, match="is writing"):
                stack.enter_context(exclusive(tmp_path / "a.lock"))
