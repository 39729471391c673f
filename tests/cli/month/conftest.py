"""A generated year of a small service, which takes some seconds; so the tests of closed months share it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.month.closed import EVENTS, record
from tests.rigs import small_year
from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture(scope="session")
def built() -> list[Path]:
    """Keep the folder of the year, once a test has asked for it."""
    return []


@pytest.fixture
def files(vetlla: Vetlla, built: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of the year; beside them is the state directory that they make."""
    if not built:
        folder = tmp_path_factory.mktemp("small_year")
        small_year.build(vetlla, small_year.generate(vetlla, folder), folder / "state")
        built.append(folder)
    return built[0] / "year"


@pytest.fixture
def year(files: Path, state_dir: Path) -> Path:
    """Put the year into the state directory."""
    shutil.copytree(files.parent / "state", state_dir, dirs_exist_ok=True)
    return state_dir


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with homes and three faults of October 2025."""
    register_homes(state_dir.parent)
    record(vetlla, tmp_path, EVENTS)
    return vetlla
