"""A generated year of a service, imported as other systems deliver it. It takes half a minute, so tests share it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.office.service_year import lines
from vetlla.simulator.service_year import CALLS, EVENTS, PLAN, RECEIVER
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES: Final = 2_000
SEED: Final = 7
ON: Final = ("--day", "2024-04-01")
FORMATS: Final = {"queue_log": "asterisk-queue-log", "cdr.csv": "asterisk-cdr", "recordings.csv": "rows"}


class ServiceYear(NamedTuple):
    """The year 2025 of a park."""

    state: Path
    """A copy of the state directory after the imports."""
    written: dict[str, Any]
    """What ``simulate year`` said."""
    plan: list[dict[str, Any]]
    events: list[dict[str, Any]]
    """What each import of events said."""
    calls: list[dict[str, Any]]
    """What each import of calls said."""


def build(vetlla: Vetlla, state_dir: Path, folder: Path, homes: int = HOMES, seed: int = SEED) -> ServiceYear:
    """Make the year, import it into the state directory, and keep a copy of that.

    Rows are mixed up, and closings come before openings.
    """
    year = folder / "year"
    folder.mkdir(exist_ok=True)
    words = ("--homes", homes, "--year", "2025", "--seed", seed, "--out", year, "--json")
    written = vetlla("simulate", "year", *words).json[0]
    for what in ("homes", "people", "devices"):
        assert vetlla("inventory", "import", year / f"{what}.csv", "--what", what, *ON).status == 0
    files = sorted((year / EVENTS).iterdir(), reverse=True)
    events = [vetlla("duties", "import", file, "--json").json[0] for file in files]
    shutil.copy(year / RECEIVER / JOURNAL, state_dir / JOURNAL)
    calls = [
        vetlla("calls", "import", year / CALLS / name, "--format", form, "--json").json[0]
        for name, form in FORMATS.items()
    ]
    state = folder / "state"
    shutil.copytree(state_dir, state)
    return ServiceYear(state, written, lines(year / PLAN), events, calls)
