"""If ``vetlla inventory import`` is killed at any moment, the registry stays as it was."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ON, imported
from tests.rigs.killed_import import kill_while_reading
from vetlla.simulator.park import generate, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_killed_in_the_middle_of_an_import_the_registry_is_as_it_was(
    vetlla: Vetlla, park: Path, tmp_path: Path, state_dir: Path
) -> None:
    """A real process that reads a pipe is killed with rows in its transaction; afterwards none of them is there."""
    imported(vetlla, park)
    before = vetlla("inventory", "list", "--json").out
    devices = (f"smoke,K{place},leased,warehouse" for place in range(30_000))
    feed = chain(["type,serial,ownership,place"], devices)
    kill_while_reading(tmp_path, ("inventory", "import"), feed, "--state-dir", state_dir)
    assert vetlla("inventory", "list", "--json").out == before
    with sqlite3.connect(state_dir / "registry.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert vetlla("inventory", "add", "smoke", "AFTER").status == 0


KILLED_AT = """
import itertools, os, signal, sys
calls, sync, at = itertools.count(1), os.fdatasync, int(sys.argv.pop(1))
def fdatasync(file):
    if next(calls) == at:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(file)
os.fdatasync = fdatasync
from vetlla.cli.main import main
main()
"""


@pytest.mark.parametrize("slices", [1, 4])
def test_killed_while_a_large_import_is_written_the_registry_is_as_it_was(
    vetlla: Vetlla, tmp_path: Path, state_dir: Path, slices: int
) -> None:
    """A real process is killed at a sync of the new file; readers still use the old one, and the next import works."""
    park = tmp_path / "park"
    write(generate(6_000, 5), park)
    assert vetlla("inventory", "import", park / "homes.csv", "--what", "homes", *ON).status == 0
    command = ["inventory", "import", str(park / "devices.csv"), *ON, "--state-dir", str(state_dir)]
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, str(slices), *command], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert (state_dir / "registry.db.new").exists()
    assert vetlla("inventory", "list", "--json").out == ""
    done = vetlla(*command, "--json")
    assert done.json[0]["new"] > 15_000
    assert not (state_dir / "registry.db.new").exists()
    assert (state_dir / "registry.db").stat().st_mode & 0o777 == 0o640
    assert len(vetlla("inventory", "list", "--json").json) == done.json[0]["new"]
