"""``vetlla inventory sample`` writes what the import takes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.cli.conftest import ON
from vetlla.simulator.park import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_a_sample_is_imported_whole(vetlla: Vetlla, tmp_path: Path) -> None:
    """A user can try out an installed program with nothing else."""
    place = tmp_path / "sample"
    (counts,) = vetlla("inventory", "sample", "--homes", "60", "--out", place, "--json").json
    for what in ("homes", "people", "devices"):
        (done,) = vetlla("inventory", "import", place / f"{what}.csv", "--what", what, *ON, "--json").json
        assert (done["new"], done["bad"]) == (counts[what], 0)


def test_the_same_seed_gives_the_same_park(vetlla: Vetlla, tmp_path: Path) -> None:
    """Two people who use one number get the same homes."""
    for name, seed in (("one", "7"), ("same", "7"), ("other", "8")):
        assert vetlla("inventory", "sample", "--homes", "40", "--seed", seed, "--out", tmp_path / name).status == 0
    one, same, other = ([(tmp_path / name / file).read_bytes() for file in FILES] for name in ("one", "same", "other"))
    assert one == same != other


def test_a_sample_overwrites_nothing(vetlla: Vetlla, tmp_path: Path) -> None:
    """A file of the same name may be another person's work."""
    (tmp_path / "homes.csv").write_text("mine", encoding="utf-8")
    done = vetlla("inventory", "sample", "--homes", "10", "--out", tmp_path)
    assert done.status == 64
    assert "name another folder with --out" in done.error
    assert (tmp_path / "homes.csv").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "devices.csv").exists()


def test_a_folder_that_cannot_be_written_is_reported(vetlla: Vetlla, tmp_path: Path) -> None:
    """The command gives an error and not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = vetlla("inventory", "sample", "--homes", "10", "--out", tmp_path / "file" / "folder")
    assert done.status == 64
    assert "cannot be written" in done.error


WORK = """
import gc, os
from vetlla.cli.kit import exits
from vetlla.cli.kit import registry as inventory_session

def work() -> None:
    inventory_session.background_priority()
    print(os.sched_getscheduler(0) == os.SCHED_IDLE, gc.isenabled())

exits.run(work)
"""


def test_only_a_commands_own_process_gets_idle_priority(vetlla: Vetlla, tmp_path: Path) -> None:
    """A command's own process gets idle priority; a process that only calls the command keeps its priority."""
    alone = subprocess.run([sys.executable, "-c", WORK], check=True, capture_output=True, text=True, timeout=60)
    assert alone.stdout.split() == ["True", "False"]
    before = os.sched_getscheduler(0), gc.isenabled()
    assert vetlla("inventory", "sample", "--homes", "10", "--out", tmp_path / "sample").status == 0
    assert (os.sched_getscheduler(0), gc.isenabled()) == before == (os.SCHED_OTHER, True)
