"""A pipe or a device in the place of a file blocks no command and no receiver. It is an error at once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA
from vetlla.domain.plainfile import open_file, open_input

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader

ROWS = b"account,home\n0001,H-1\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a directory with a state directory, settings, and a pipe without a writer instead of each kind of file."""
    (tmp_path / "state").mkdir(mode=0o750)
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "vetlla.toml").write_text(
        f"""
        state_dir = "{tmp_path / "state"}"
        keys_file = "{tmp_path / "pipe"}"
        [[listen]]
        protocol = "dc09"
        host = "127.0.0.1"
        port = 0
        """,
        encoding="utf-8",
    )
    return tmp_path


def ended(place: Path, command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command of the installed program, which must end by itself."""
    return subprocess.run(
        [VETLLA, *command.split()], cwd=place, input=stdin, capture_output=True, timeout=PATIENCE_S, check=False
    )


@pytest.mark.parametrize(
    "command",
    [
        "receiver --config vetlla.toml",
        "check-config --config vetlla.toml",
        "check-config --config pipe",
        "keys list --keys-file pipe",
        "keys set north --hex --from-file pipe --keys-file keys.toml",
        "accounts import pipe --state-dir state",
        "inventory import pipe --state-dir state",
        "inventory import vetlla.toml --mapping pipe --state-dir state",
        "decode dc09 pipe",
        "erase --check pipe --state-dir state",
        "simulate dial --to 127.0.0.1:9 --transport tls --trust pipe",
    ],
)
def test_a_pipe_without_a_writer_is_an_error_at_once(place: Path, command: str) -> None:
    """Commands and the receiver end with an error. Once the receiver hung, ignored SIGTERM, and commands waited."""
    done = ended(place, command)
    told = done.stderr.decode()
    assert done.returncode > 1, told
    assert "pipe: is no plain file" in told or "is a named pipe" in told, told
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["journal.db", "manifest.json"])
def test_a_pipe_in_a_backup_is_an_error_at_once(place: Path, name: str) -> None:
    """The same holds for a pipe in a backup, which may be on a disk that other users can write to."""
    os.mkfifo(place / "state" / name)
    done = ended(place, "db verify state")
    assert done.returncode > 1
    assert f"{name}: is no plain file" in done.stderr.decode()


def test_a_pipe_of_the_shell_is_imported(place: Path) -> None:
    """An import still reads standard input by its name, and the pipe of ``<(...)``."""
    done = ended(place, "accounts import /dev/stdin --state-dir state", ROWS)
    assert b"/dev/stdin: 1 added" in done.stdout, done
    reading, writing = os.pipe()
    os.write(writing, ROWS)
    os.close(writing)
    command = [VETLLA, "accounts", "import", f"/dev/fd/{reading}", "--state-dir", str(place / "state")]
    piped = subprocess.run(command, pass_fds=[reading], capture_output=True, timeout=PATIENCE_S, check=False)
    os.close(reading)
    assert b"1 unchanged" in piped.stdout, piped


@pytest.mark.parametrize("opened", [open_file, open_input])
def test_a_file_is_read_through_a_link(tmp_path: Path, opened: Callable[[Path], BufferedReader]) -> None:
    """Settings are often a link to a file that a tool unpacked, so links are followed. A directory is an error."""
    (tmp_path / "file").write_bytes(ROWS)
    (tmp_path / "link").symlink_to("file")
    with opened(tmp_path / "link") as file:
        assert file.read() == ROWS
    with pytest.raises(OSError, match=r"Is a directory|is no plain file"):
        opened(tmp_path)


def test_a_device_is_no_plain_file() -> None:
    """A device may have no end, so it is refused here. An import reads from a device within the bounds of a file."""
    with pytest.raises(OSError, match="is no plain file"):
        open_file(Path("/dev/zero"))
    with open_input(Path("/dev/zero")) as device:
        assert device.read(3) == bytes(3)


def test_dev_null_is_an_empty_file() -> None:
    """The demonstration uses ``--config /dev/null`` for an empty configuration."""
    with open_file(Path(os.devnull)) as nothing:
        assert nothing.read() == b""
    with pytest.raises(OSError, match="is no plain file"):
        open_file(Path("/dev/zero"))
