"""A generated year of a small service with something of every kind in its record, and the parts of a month of it."""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.rigs.service_year import FORMATS, ON
from vetlla.domain.clock import SECOND_US, ManualClock, SystemClock, to_datetime, to_us
from vetlla.domain.probes import Incident, Probe, ProbedPart, ProbeResult, SeenThrough
from vetlla.service.months.sealing import canonical
from vetlla.simulator.service_year import CALLS, EVENTS, RECEIVER
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.probes.write import ProbeBook, add_incident
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.months.parts import PARTS, first_month
from vetlla.tasks.months.record import inputs
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cli.conftest import Vetlla

HOMES: Final = 60
MONTH: Final = date(2025, 11, 1)
STEPS: Final = ("homes", "people", "devices", "events", "calls", "by hand", "probes")
"""What is imported and recorded, in the usual order."""
OTHER_STEPS: Final = ("homes", "devices", "probes", "people", "by hand", "events", "calls")
"""Another order, in which nothing comes before what it needs."""
_BY_HAND: Final = (
    "sanctions record S07 --at 2025-11-21T10:00 --reason uniform",
    "sanctions record 20.2.d --at 2025-11-22T10:00 --reason control --amount 120.50",
    "sanctions action add ANS5 line --who Q1",
    "dispatch units add UMO-01 --base NORD",
)


def generate(vetlla: Vetlla, folder: Path) -> Path:
    """Write the files of the year; return their folder."""
    year = folder / "year"
    done = vetlla("simulate", "year", "--homes", HOMES, "--year", "2025", "--seed", "7", "--out", year)
    assert done.status == 0, done.error
    return year


def build(vetlla: Vetlla, year: Path, state: Path, steps: Sequence[str] = STEPS) -> None:
    """Import the year into a state directory, one step after the other."""
    state.mkdir(exist_ok=True)
    shutil.copy(year / RECEIVER / JOURNAL, state / JOURNAL)
    for step in steps:
        for words in _commands(step, year):
            done = vetlla(*words, "--state-dir", state)
            assert done.status == 0, done.error
        if step == "probes":
            _add_probes(state)


def _commands(step: str, year: Path) -> list[tuple[object, ...]]:
    match step:
        case "homes" | "people" | "devices":
            return [("inventory", "import", year / f"{step}.csv", "--what", step, *ON)]
        case "events":
            return [("duties", "import", file) for file in sorted((year / EVENTS).iterdir())]
        case "calls":
            return [("calls", "import", year / CALLS / name, "--format", form) for name, form in FORMATS.items()]
        case "by hand":
            return [tuple(line.split()) for line in _BY_HAND]
        case _:
            return []


def _add_probes(state: Path) -> None:
    """Add three hours of probes of November, of which one failed, and a note beside them."""
    clock, begin_us = SystemClock(), to_us(datetime(2025, 11, 3, 9, tzinfo=UTC))
    with transaction(state, clock) as connection:
        now_us = clock.now().utc_us
        book = ProbeBook(connection, now_us, "tester", "probes.ndjson")
        for number in range(108):
            result = ProbeResult.TIMEOUT if number == 50 else ProbeResult.OK
            started_us = begin_us + number * 100 * SECOND_US
            through = SeenThrough.NOTHING if number == 50 else SeenThrough.ACK
            book.add(Probe("m1", "dc09", ProbedPart.SYSTEM, started_us, 5_000, result, "", through))
        note = Incident(
            0, "dc09", begin_us, begin_us + SECOND_US, is_planned=False, note="line", by="x", recorded_us=now_us
        )
        add_incident(connection, note)


def parts(state: Path, known_us: int, month: date = MONTH) -> dict[str, bytes]:
    """Return the parts of a month as known at a time, and under ``inputs`` the digests of its record."""
    clock, rules = ManualClock(to_datetime(known_us + SECOND_US)), load_rules()
    with month_record(state, clock, rules, month, known_us) as record:
        sources = MonthSources(state, clock, record)
        made = {name: part.make(sources) for name, part in PARTS.items()}
        return made | {"inputs": canonical(inputs(record, first_month(record, PARTS)))}


if __name__ == "__main__":  # the parts of a month, made by a process of its own: STATE KNOWN_US FOLDER
    for name, content in parts(Path(sys.argv[1]), int(sys.argv[2])).items():
        (Path(sys.argv[3]) / name).write_bytes(content)
