"""The renewals of the tender's park: the plan of three years, and its peaks beside the bound that no plan can beat.

python -m bench.office.renewals [--homes 82350] [--seed 1]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bench.office.inventory import DAY, park_of, run
from bench.rig.machine import describe
from vetlla.service.renewals.planning import make
from vetlla.simulator.park import END, START, generate, reading


def main() -> None:
    """Run all measurements and print the figures."""
    parser = argparse.ArgumentParser(description="The renewals of the tender's park.")
    parser.add_argument("--homes", type=int, default=82_350)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        _commands(Path(folder), asked.homes, asked.seed, out)
    # This is last, because our own memory would count in the peak memory of child processes.
    park = generate(asked.homes, asked.seed)
    homes = {home.code: home for home in park.homes}
    began = time.perf_counter()
    made = make(park.devices, homes, [], reading(), (START, END))
    out.print(f"plan in memory: {time.perf_counter() - began:.1f} s, {len(made.visits):,} visits")
    for figures in made.bases:
        out.print(
            f"  {figures.base}: peak {figures.peak} min, no plan below {float(figures.bound):.1f},"
            f" longest visit {figures.longest}, {figures.visits:,} visits"
        )


def _commands(folder: Path, homes: int, seed: int, out: Console) -> None:
    state = folder / "state"
    state.mkdir()
    park_of(homes, seed, folder)
    for what in ("homes", "people", "devices"):
        run("inventory", "import", folder / f"{what}.csv", "--what", what, *DAY, state=state)
    for name, command in (
        ("plan, kept in the registry", ("plan", "--from", START)),
        ("plan again", ("plan", "--from", START)),
        ("forecast", ("forecast",)),
        ("show all with reasons, JSON", ("show", "--why", "--json")),
        ("export to iCalendar", ("export", folder / "plan.ics")),
    ):
        out.print(f"{name}: {run('renewals', *command, state=state)}")


if __name__ == "__main__":
    main()
