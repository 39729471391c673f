"""What the benches with a file of figures share: their command line, and how their results are kept."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from bench.rig.machine import describe

if TYPE_CHECKING:
    from collections.abc import Callable


def command_line(description: str | None, *, quick: str, prog: str | None = None) -> argparse.ArgumentParser:
    """Return a parser of --quick, which does what ``quick`` says, and of --json."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--quick", action="store_true", help=f"{quick}, to check that it runs")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser


def measured(file: Path | None, measure: Callable[[Console], list[dict[str, Any]]]) -> None:
    """Print the machine, measure, and write the figures to the file, if one is given."""
    out, machine = Console(), describe()
    out.print(str(machine), highlight=False)
    results = measure(out)
    if file:
        file.write_text(json.dumps({"machine": machine._asdict(), "results": results}, indent=1))
