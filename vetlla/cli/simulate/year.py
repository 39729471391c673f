"""``vetlla simulate year`` writes an invented year of the service, to try out the duties and their clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import background_priority, today, working
from vetlla.domain.errors import UsageError
from vetlla.simulator.park import FILES
from vetlla.simulator.service_year import CALLS, EVENTS, FIRST_YEAR, PLAN, RECEIVER, write_year

HOMES_MAX = 200_000
"""Most homes of a year: more than twice as many as in the tender. Each has some 25 events."""


def year(
    out: Annotated[Path, typer.Option("--out", help="Folder for all files of the year.")],
    homes: Annotated[int, typer.Option("--homes", min=10, max=HOMES_MAX, help="How many homes.")] = 1_000,
    which: Annotated[
        int | None, typer.Option("--year", min=FIRST_YEAR, max=2098, help="A year that is over. Default: the last one.")
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", help="The same number gives the same year, another one another year.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Write an invented year of the service: inventory, events of duties, calls, alarms, and a plan of the breaches.

    Import homes.csv, people.csv and devices.csv with --day 2024-04-01, then each file in the folder events with `vetlla
    duties import`, and those in the folder calls with `vetlla calls import`. The folder receiver has the journal of the
    alarms. Everything is kept but what plan.ndjson names, so that `vetlla duties list --verdict breached` must list
    exactly that. No person in it exists. Existing files are not overwritten.

    Example: vetlla simulate year --homes 200 --out year
    """
    last = today().year - 1
    chosen = which or last
    if chosen > last:
        raise UsageError(f"{chosen} is not over, and events to come cannot be imported", remedy=f"--year {last}")
    wanted = (out / name for name in (*FILES, PLAN, EVENTS, CALLS, RECEIVER))
    if existing := next((path for path in wanted if path.exists()), None):
        raise UsageError(f"{existing}: exists already", remedy="name another folder with --out")
    background_priority()
    with working(f"a year of {homes} homes"):
        try:
            written = write_year(out, homes, seed, chosen)
        except OSError as error:
            raise UsageError(
                f"{out}: cannot be written: {error.strerror}", remedy="name another folder with --out"
            ) from error
    if as_json:
        print_json({"out": str(out), "year": chosen, **written._asdict()})
    else:
        said = ", ".join(f"{count} {name}" for name, count in written._asdict().items())
        console().print(f"{out}: {chosen}: {said}", soft_wrap=True)
