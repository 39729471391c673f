"""Closed months and real processes: the same bytes in any surroundings, and nothing of a close that was killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs import small_year
from tests.rigs.daemon import VETLLA
from tests.rigs.homes_on_record import register_homes
from tests.rigs.ledger import write_ledger
from vetlla.domain.clock import SystemClock
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.months.parts import PARTS

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

ROOT = Path(__file__).parents[3]
MONTH = "2026-10"
SURROUNDINGS = (
    {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Los_Angeles", "LC_ALL": "C.UTF-8", "LANGUAGE": "ca", "PYTHONHASHSEED": "4711"},
)


@pytest.fixture
def month(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Path:
    """Make a record with faults of many homes and a ledger; return its folder."""
    homes = "".join(f"H{number},02,{'NORD' if number % 2 else 'SUD'},3,no,2018-01-01/,\n" for number in range(40))
    register_homes(state_dir.parent, homes)
    write_ledger(state_dir)
    rows = [f"fault,H{number},detected,2026-10-{number % 28 + 1:02}T09:00:00+02:00,F-{number}" for number in range(40)]
    (tmp_path / "events.csv").write_text("\n".join(["kind,subject,event,at,ref", *rows]), encoding="utf-8")
    done = vetlla("duties", "import", tmp_path / "events.csv")
    assert done.status == 0, done.error
    return state_dir


def run(state: Path, *words: str, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in its own process."""
    return subprocess.run(
        [VETLLA, "month", *words, "--state-dir", str(state)],
        env=os.environ | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_other_zones_locales_hash_seeds_and_folders_give_the_same_bytes(month: Path, tmp_path: Path) -> None:
    assert run(month, "close", MONTH, PYTHONHASHSEED="0").returncode == 0
    moved = tmp_path / "elsewhere" / "state"
    shutil.copytree(month, moved)
    for surroundings in SURROUNDINGS:
        done = run(moved, "verify", MONTH, "--json", folder=tmp_path / "elsewhere", **surroundings)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr


def made_elsewhere(state: Path, known_us: int, folder: Path, umask: int, **environment: str) -> dict[str, bytes]:
    """Return the parts of a month and the digests of its record, as another process makes them in its own folder."""
    (out := folder / "out").mkdir(parents=True)
    words = [sys.executable, "-m", "tests.rigs.small_year", str(state), str(known_us), str(out)]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(words, env=surroundings, cwd=folder, umask=umask, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {file.name: file.read_bytes() for file in out.iterdir()}


def test_two_machines_make_the_same_bytes(year: Path, tmp_path: Path) -> None:
    """The second one has a copy whose files were written in another order, and nothing else in common."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in sorted(year.iterdir(), reverse=True):
        shutil.copy(file, copy)
    known_us = SystemClock().now().utc_us
    one, other = SURROUNDINGS
    first = made_elsewhere(year, known_us, tmp_path / "one", 0o022, **one)
    second = made_elsewhere(copy, known_us, tmp_path / "other" / "deeper", 0o077, **other)
    assert set(first) == {*PARTS, "inputs"}
    assert [name for name in first if first[name] != second[name]] == []


def test_the_order_of_independent_imports_changes_no_part(vetlla: Vetlla, files: Path, tmp_path: Path) -> None:
    """The digests differ, because they also prove when each fact was recorded."""
    small_year.build(vetlla, files, tmp_path / "other", small_year.OTHER_STEPS)
    known_us = SystemClock().now().utc_us
    one, other = (small_year.parts(folder, known_us) for folder in (files.parent / "state", tmp_path / "other"))
    assert {name for name in one if one[name] != other[name]} <= {"inputs"}
    assert one["inputs"] != other["inputs"]


def test_a_machine_without_typst_says_which_part_it_cannot_make(month: Path, tmp_path: Path) -> None:
    (tmp_path / "typst.py").write_text("raise ImportError", encoding="utf-8")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = run(month, "close", MONTH, PYTHONPATH=path)
    assert done.returncode == os.EX_USAGE
    assert "service-levels.pdf cannot be made" in done.stderr
    assert "--without service-levels.pdf" in done.stderr
    assert run(month, "list", "--json").stdout == ""
    assert run(month, "close", MONTH).returncode == 0
    done = run(month, "verify", MONTH, PYTHONPATH=path)
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert "service-levels.pdf cannot be made" in done.stderr


def test_times_are_on_the_clock_of_the_service(month: Path) -> None:
    assert run(month, "close", MONTH).returncode == 0
    for words in (("show", MONTH), ("list",)):
        assert " CE" in run(month, *words, TZ="Pacific/Kiritimati").stdout


@pytest.mark.parametrize("after_s", [0.5, 1.0])
def test_a_close_that_is_killed_leaves_nothing_or_all(month: Path, after_s: float) -> None:
    process = subprocess.Popen([VETLLA, "month", "close", MONTH, "--state-dir", str(month)], stdout=subprocess.DEVNULL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = [json.loads(line) for line in run(month, "list", "--json").stdout.splitlines()]
    assert len(kept) <= 1
    assert run(month, "close", MONTH, *(["--reason", "again"] if kept else [])).returncode == 0
    assert run(month, "verify", MONTH).returncode == 0


def test_a_close_that_is_killed_while_it_waits_to_write_leaves_nothing(month: Path) -> None:
    with transaction(month, SystemClock()):
        process = subprocess.Popen([VETLLA, "month", "close", MONTH, "--state-dir", str(month)])
        with suppress(subprocess.TimeoutExpired):
            process.wait(1.5)
        assert process.poll() is None, "it waits for the registry"
        process.kill()
        process.wait()
    assert run(month, "list", "--json").stdout == ""
    assert run(month, "close", MONTH).returncode == 0
