"""Duties at the size of the service: the import of three million events, and the answers over half a million duties.

    python -m bench.office.duties [--homes 81052] [--closed 1250000] [--open 500000] [--seed 1]

Every command runs as a separate process on one core, as an operator runs it. The kernel reports its processor time and
its peak memory. A duty is a fault or a follow-up call of a home; those that are closed have two events.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.office.inventory import Cost, park_of, run
from bench.rig.machine import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAYS = 700
"""Closed duties were opened in as many days before today."""
DAY = ("--day", "2024-04-01")
HEADING = ("kind", "subject", "event", "at", "ref", "by", "from", "to")
PART = 1_000_000
"""Events of a file; an import takes at most 1,048,576 rows."""


def rows(homes: int, closed: int, still_open: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of files of duty events, in no order of time."""
    rng = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(closed + still_open):
        home = f"H{rng.randrange(homes) + 1:06}"
        is_open = number >= closed
        at = now - timedelta(seconds=rng.randrange(1, (5 if is_open else DAYS) * 86_400))
        ref = f"B{number:07}"
        done = now - timedelta(seconds=rng.randrange(1 + (now - at).seconds))
        if number % 4:
            last = f"{at + timedelta(days=10):%Y-%m-%d}"
            yield "follow_up", home, "planned", at.isoformat(), ref, "", "", last
            if not is_open:
                yield "follow_up", home, "answered", done.isoformat(), ref, "OP01", "", ""
        else:
            yield "fault", home, "detected", at.isoformat(), ref, "", "", ""
            if not is_open:
                yield "fault", home, "solved", done.isoformat(), ref, "T01", "", ""


def write(folder: Path, homes: int, closed: int, still_open: int, seed: int) -> list[Path]:
    """Write files of at most a million events; return them.

    A process of its own writes, because our memory would count in the peak of later children.
    """
    folder.mkdir()
    if (child := os.fork()) == 0:
        every = rows(homes, closed, still_open, seed)
        for place in count():
            part = list(islice(every, PART))
            if not part:
                os._exit(0)
            with (folder / f"events{place}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([HEADING, *part])
    os.waitpid(child, 0)
    return sorted(folder.iterdir())


def total(costs: Iterable[Cost]) -> Cost:
    """Return the cost of commands one after the other."""
    every = list(costs)
    return Cost(
        sum(one.seconds for one in every), sum(one.cpu_s for one in every), max(one.memory_mib for one in every)
    )


def main() -> None:
    """Run all measurements and print the figures."""
    parser = argparse.ArgumentParser(description="Duties at the size of the service.")
    parser.add_argument("--homes", type=int, default=81_052)
    parser.add_argument("--closed", type=int, default=1_250_000, help="closed duties, with two events each")
    parser.add_argument("--open", type=int, default=500_000, dest="still_open", help="open duties, with one event each")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        park, state = Path(folder) / "park", Path(folder) / "state"
        state.mkdir()
        out.print(park_of(asked.homes, asked.seed, park))
        run("inventory", "import", park / "homes.csv", "--what", "homes", *DAY, state=state)
        files = write(Path(folder) / "events", asked.homes, asked.closed, asked.still_open, asked.seed)
        size = sum(file.stat().st_size for file in files) >> 20
        out.print(f"{2 * asked.closed + asked.still_open:,} events in {len(files)} files, {size} MiB, on one core")
        for what in ("import", "import again"):
            out.print(f"{what}: {total(run('duties', 'import', file, state=state) for file in files)}")
        (small,) = write(Path(folder) / "more", asked.homes, 500, 500, asked.seed + 1)
        small.write_text(small.read_text(encoding="utf-8").replace("B0", "C0"), encoding="utf-8")
        out.print(f"import 1,500 events more: {run('duties', 'import', small, state=state)}")
        month = (
            f"{datetime.now(UTC) - timedelta(days=60):%Y-%m-%d}",
            f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}",
        )
        for words in (
            ("due",),
            ("due", "--limit", "1000", "--json"),
            ("list", "--verdict", "breached", "--since", month[0], "--until", month[1], "--json"),
            ("list", "--verdict", "breached", "--json"),
            ("list", "--subject", "H000001"),
        ):
            out.print(f"duties {' '.join(words)}: {run('duties', *words, state=state)}")
        out.print(f"registry: {(state / 'registry.db').stat().st_size >> 20} MiB")


if __name__ == "__main__":
    main()
