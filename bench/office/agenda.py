"""The agenda of the tender's park: a month planned, planned again, and handed out call by call.

    python -m bench.office.agenda [--homes 81052] [--seed 1]

The month is the one after the present one, so that every call is still to be made. Every command runs as a process of
its own, as cron and operators run it.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from bench.office.inventory import park_of, run
from bench.rig.machine import describe


def main() -> None:
    """Run all measurements and print the figures."""
    parser = argparse.ArgumentParser(description="The agenda of the tender's park.")
    parser.add_argument("--homes", type=int, default=81_052)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    today = date.today()  # noqa: DTZ011 - the commands use the machine's date, too
    month = f"{today.replace(day=1) + timedelta(days=31):%Y-%m}"
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        state = Path(folder) / "state"
        state.mkdir()
        out.print(park_of(asked.homes, asked.seed, Path(folder)))
        for what in ("homes", "people"):
            run("inventory", "import", Path(folder) / f"{what}.csv", "--what", what, state=state)
        for name, command in (
            ("plan, dry run", ("plan", "--month", month, "--dry-run")),
            ("plan, written (aim: 10 s)", ("plan", "--month", month)),
            ("plan again", ("plan", "--month", month)),
            ("next", ("next", "--operator", "op1")),
            ("list a day", ("list", "--day", f"{month}-15", "--json")),
            ("report", ("report", "--month", month, "--json")),
        ):
            out.print(f"{name}: {run('agenda', *command, state=state)}")


if __name__ == "__main__":
    main()
