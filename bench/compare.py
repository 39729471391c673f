"""The cost of a change for each frame: two source trees take the same load in turns, on one machine.

    python -m bench.compare OTHER_TREE [--turns 5] [--only WORD]

``OTHER_TREE`` is a checkout of the commit to compare with (``git worktree add --detach OTHER_TREE COMMIT``). Each turn
measures both trees with their own bench, one right after the other, and every second turn in the other order. The
ratio of a turn does not depend on slow changes of the machine's speed. The median of the ratios does not depend on a
turn that other work disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.__main__ import LOADS
from bench.rig.machine import describe


class Turn(NamedTuple):
    """Processor time of the receiver for a frame, in microseconds."""

    other: float
    this: float

    @property
    def ratio(self) -> float:
        """Cost of this tree divided by that of the other; 1.02 is 2 % more."""
        return self.this / self.other


def main() -> None:
    """Run the loads in both trees, and print one line for each load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="checkout of the commit to compare with")
    parser.add_argument("--turns", type=int, default=5, help="number of measurements of each load in each tree")
    parser.add_argument("--only", default="", help="run only loads whose name contains this word")
    options = parser.parse_args()
    out = Console()
    out.print(str(describe()), highlight=False)
    table = Table("load", "before us", "after us", "median ratio", "ratios of all turns", box=None)
    trees = [options.other.resolve(), Path(__file__).resolve().parents[1]]
    for load in LOADS:
        if options.only in load.name and load.connections > 1 and not load.rate:  # an idle receiver costs more a frame
            with out.status(load.name):
                table.add_row(load.name, *_row([_turn(trees, load.name, place) for place in range(options.turns)]))
    out.print(table)


def _turn(trees: list[Path], load: str, place: int) -> Turn:
    order = trees if place % 2 == 0 else trees[::-1]
    measured = {tree: _cpu_us(tree, load) for tree in order}
    return Turn(*(measured[tree] for tree in trees))


def _cpu_us(tree: Path, load: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        command = [sys.executable, "-m", "bench", "--only", load, "--json", str(file)]
        environment = os.environ | {"PYTHONPATH": str(tree)}
        subprocess.run(command, check=True, cwd=tree, env=environment, stdout=subprocess.DEVNULL)
        results: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["results"]
    (cost,) = (result["vetlla"]["cpu_us"] for result in results)
    return float(cost)


def _row(turns: list[Turn]) -> list[str]:
    before, after, ratio = (
        statistics.median(values)
        for values in ([turn.other for turn in turns], [turn.this for turn in turns], [turn.ratio for turn in turns])
    )
    every = " ".join(f"{turn.ratio:.2f}" for turn in sorted(turns, key=lambda turn: turn.ratio))
    return [f"{before:.1f}", f"{after:.1f}", f"{ratio:.3f}", every]


if __name__ == "__main__":
    main()
