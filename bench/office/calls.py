"""A year's calls: how long their import takes, what they weigh in the registry, and how long a month's report takes.

    python -m bench.office.calls [--calls 1000000] [--homes 81052]

The calls are invented: 32 of 100 come in through a queue, as in the tender. Each command runs as a separate process, as
an operator runs it. The kernel reports its processor time and peak memory.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.office.inventory import park_of, run
from bench.rig.machine import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

PER_FILE = 400_000
"""Calls in one file: a file has at most 128 MiB."""
IN_PERCENT = 32
SEED = 1
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENTS = 60


def write_files(folder: Path, calls: int, phones: list[str]) -> Iterator[tuple[Path, str]]:
    """Write call detail records and logs of queues; yield each file with its format."""
    dice = random.Random(SEED)
    step = timedelta(days=365) / calls
    for part, first in enumerate(range(0, calls, PER_FILE)):
        cdr, log = folder / f"Master{part}.csv", folder / f"queue_log{part}"
        with cdr.open("w", newline="") as cdr_file, log.open("w") as log_file:
            lines = csv.writer(cdr_file, quoting=csv.QUOTE_ALL)
            for number in range(first, min(first + PER_FILE, calls)):
                at = (START + step * number).replace(microsecond=0)
                epoch = int(at.timestamp())
                phone, agent = dice.choice(phones), f"PJSIP/{100 + dice.randrange(AGENTS)}"
                unique, talk = f"{epoch}.{number}", dice.randrange(20, 400)
                end = at + timedelta(seconds=talk + 10)
                if dice.randrange(100) < IN_PERCENT:
                    sides = [
                        phone,
                        "100",
                        "from-pstn",
                        "",
                        f"PJSIP/trunk-{number:08x}",
                        f"{agent}-{number:08x}",
                        "Queue",
                    ]
                    waits = 1 + min(int(dice.expovariate(0.2)), 60)
                    events = (
                        (1, "NONE|ENTERQUEUE||" + phone + "|1"),
                        (1 + waits, f"{agent}|CONNECT|{waits}|{epoch}.x|{waits}"),
                        (10 + talk, f"{agent}|COMPLETECALLER|{waits}|{talk}|1"),
                    )
                    log_file.writelines(f"{epoch + after}|{unique}|telecare|{said}\n" for after, said in events)
                else:
                    sides = [
                        "101",
                        phone,
                        "from-users",
                        "",
                        f"{agent}-{number:08x}",
                        f"PJSIP/trunk-{number:08x}",
                        "Dial",
                    ]
                times = [f"{one:%Y-%m-%d %H:%M:%S}" for one in (at, at + timedelta(seconds=1), end)]
                lines.writerow(["", *sides, "", *times, talk + 10, talk + 9, "ANSWERED", "DOCUMENTATION", unique, ""])
        yield cdr, "asterisk-cdr"
        yield log, "asterisk-queue-log"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--homes", type=int, default=81_052)
    asked = parser.parse_args()
    out = Console()
    out.print(describe())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = folder / "state"
        state.mkdir()
        park_of(asked.homes, SEED, folder / "park")
        phones = _with_phones(folder / "park" / "homes.csv")
        run("inventory", "import", folder / "park" / "homes.csv", "--what", "homes", state=state)
        before = (state / "registry.db").stat().st_size
        for file, form in write_files(folder, asked.calls, phones):
            cost = run("calls", "import", file, "--format", form, "--zone", "UTC", state=state)
            out.print(f"import of {file.name} ({file.stat().st_size >> 20} MiB): {cost}")
        size = (state / "registry.db").stat().st_size - before
        out.print(f"registry: {size >> 20} MiB more, {size / asked.calls:.0f} bytes a call")
        again = run("calls", "import", folder / "Master0.csv", "--format", "asterisk-cdr", "--zone", "UTC", state=state)
        out.print(f"Master0.csv again: {again}")
        out.print(f"report of a month: {run('calls', 'report', '--month', '2026-06', state=state, may_end=(0, 1))}")
        out.print(
            f"list of a week: {run('calls', 'list', '--since', '2026-06-01', '--until', '2026-06-08', state=state)}"
        )


def _with_phones(file: Path) -> list[str]:
    """Give each home of a park a telephone of its own, and return these."""
    with file.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    phones = []
    for number, row in enumerate(rows):
        row["phones"] = f"900{number:06}"
        phones.append(row["phones"])
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return phones


if __name__ == "__main__":
    main()
