"""``vetlla inventory sample`` writes an invented inventory, to try out the inventory and the renewals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import background_priority, working
from vetlla.domain.errors import UsageError
from vetlla.simulator.park import FILES, generate, write

HOMES_MAX = 1_000_000
"""Most homes of a sample: twelve times as many as in the tender."""


def sample(
    out: Annotated[Path, typer.Option("--out", help="Folder for homes.csv, people.csv and devices.csv.")],
    homes: Annotated[int, typer.Option("--homes", min=1, max=HOMES_MAX, help="How many homes.")] = 1_000,
    seed: Annotated[
        int, typer.Option("--seed", help="The same number gives the same homes, another one other homes.")
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Write an invented inventory of homes, people and devices as files that `vetlla inventory import` takes.

    No person in it exists: codes count up, and no telephone has these numbers. It is as on 2024-03-31: import it
    with --day 2024-04-01. Existing files are not overwritten.

    Example: vetlla inventory sample --homes 200 --out sample
    """
    if existing := next((path for name in FILES if (path := out / name).exists()), None):
        raise UsageError(f"{existing}: exists already", remedy="name another folder with --out")
    background_priority()
    with working(f"a park of {homes} homes"):
        park = generate(homes, seed)
        try:
            write(park, out)
        except OSError as error:
            raise UsageError(
                f"{out}: cannot be written: {error.strerror}", remedy="name another folder with --out"
            ) from error
    counts = {"homes": len(park.homes), "people": len(park.people), "devices": len(park.devices)}
    if as_json:
        print_json({"out": str(out), **counts})
    else:
        said = ", ".join(f"{count} {name}" for name, count in counts.items())
        console().print(f"{out}: {said}", soft_wrap=True)
