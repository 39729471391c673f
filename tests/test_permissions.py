"""Errors of permissions: they name the cause, and a remedy that fits it."""

from __future__ import annotations

import errno
import grp
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import NOBODY_UID, reachable_directory, unprivileged
from vetlla.domain import permissions
from vetlla.domain.errors import AccessError, ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ME = pwd.getpwuid(os.geteuid() or NOBODY_UID).pw_name
"""The asking user: the one of the tests, or the user ``nobody`` if that is root."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_directory() as made:
        yield made


def told(path: Path, *, writing: bool = True) -> tuple[str, str]:
    """Return the message and the remedy for a path, as a user without privileges gets them."""
    with unprivileged():
        return str(permissions.obstacle(path, writing=writing)), permissions.remedy(path, writing=writing)


def own(path: Path, mode: int) -> None:
    """Give a path to the asking user, with a mode."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY_UID, NOBODY_UID)
    path.chmod(mode)


def test_a_permitted_path_has_no_obstacle(folder: Path) -> None:
    """There is no obstacle to a readable file, or to a new file in a writable directory."""
    file = folder / "file"
    file.touch(0o644)
    assert told(file, writing=False)[0] == "None"
    assert told(folder / "new", writing=False)[0] == "None"
    own(folder, 0o700)
    assert told(folder / "new")[0] == "None"
    assert "read-only file system" in told(folder / "new")[1]


def test_a_users_own_file_needs_only_chmod(folder: Path) -> None:
    """The remedy needs no other user for a file of the user's own."""
    own(folder, 0o700)
    file = folder / "file"
    file.touch()
    own(file, 0o200)
    assert told(file) == (f"{ME} may not read {file}", f"chmod u+r {file}")
    own(file, 0o400)
    assert told(file) == (f"{ME} may not write {file}", f"chmod u+w {file}")
    own(folder, 0o600)
    assert told(file) == (f"{ME} may not enter {folder}", f"chmod u+x {folder}")


def test_the_first_closed_directory_is_named(folder: Path) -> None:
    """The error names the closed directory, even if the file itself is open to all."""
    file = folder / "a" / "b" / "file"
    file.parent.mkdir(parents=True)
    file.touch(0o666)
    own(folder / "a", 0o000)
    assert told(file)[0] == f"{ME} may not enter {folder / 'a'}"


if os.geteuid() == 0:  # only root can give files to another user
    ADD = "sudo usermod -aG adm nobody"

    @pytest.mark.parametrize(
        ("owner", "group", "mode", "remedy"),
        [
            (1, 0, 0o600, "run it as daemon: sudo -u daemon vetlla ..."),
            (0, 0, 0o600, "run it as root: sudo vetlla ..."),
            (4711, 0, 0o600, "run it as 4711: sudo -u '#4711' vetlla ..."),
            (
                1,
                4,
                0o640,
                f"have nobody added to group adm: {ADD}; or run it as daemon: sudo -u daemon vetlla ...",
            ),
        ],
    )
    def test_the_remedy_depends_on_the_owner_of_the_file(
        folder: Path, owner: int, group: int, mode: int, remedy: str
    ) -> None:
        """The remedy names the owner if only the owner may, or a group whose members may, but never group root."""
        assert (pwd.getpwuid(1).pw_name, grp.getgrgid(4).gr_name) == ("daemon", "adm")
        file = folder / "file"
        file.touch()
        os.chown(file, owner, group)
        file.chmod(mode)
        assert told(file, writing=False) == (f"nobody may not read {file}", remedy)


def test_an_error_that_a_permission_caused_becomes_an_access_error(folder: Path) -> None:
    """An error that permissions caused becomes an access error of any family. Other errors stay the same."""
    file = folder / "file"
    file.touch()
    own(file, 0o000)
    with unprivileged(), pytest.raises(PermissionError) as caught:
        file.read_bytes()
    error = ConfigError(f"{file}: {caught.value.strerror}", remedy="let the user read it")
    error.__cause__ = caught.value
    with unprivileged():
        explained = permissions.explained(error)
        raw = permissions.explained(caught.value)
    assert isinstance(explained, AccessError)
    assert (explained.args[0], explained.remedy) == (f"{file}: Permission denied", f"chmod u+r {file}")
    assert raw.args == explained.args
    other = StoreError("the disk is full")
    other.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert permissions.explained(other) is other
