"""``vetlla maintenance`` lists battery changes and preventive maintenance that fall due."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from vetlla.cli.kit.due import DueList
from vetlla.cli.kit.known import asked
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.registry import CLOCK, without_collector
from vetlla.domain.devices import UpkeepKind
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.upkeep import attended, intervals, upkeep_due
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import snapshot

app = typer.Typer(help="List battery changes and preventive maintenance that fall due.", no_args_is_help=True)
DAY_S = 86_400
COLUMNS = ("due", "work", "home", "base", "device", "late_days")


@app.callback()
def maintenance() -> None:
    """List battery changes and preventive maintenance that fall due."""


@app.command()
@with_option_groups
def due(
    within: Annotated[
        float,
        duration(
            "--within",
            unit="d",
            help="Due within this time, such as 60d or 8w; a number alone means days. Default: 30.",
        ),
    ] = 30 * DAY_S,
    kind: Annotated[UpkeepKind | None, typer.Option("--kind", help="Only this work.")] = None,
    base: Annotated[str, typer.Option("--base", help="Only homes of this intervention base.")] = "",
    *,
    listing: DueList,
) -> None:
    """List the upkeep of installed devices that is late or falls due soon, in the order of the due days.

    Homes that are no longer attended by then are left out, because their devices are to be recovered (inventory check,
    rule not_recovered).

    Example: vetlla maintenance due --within 60d --kind battery
    """
    values = listing.values()
    on = values.day
    without_collector()
    with snapshot(listing.state_dir, CLOCK, asked(listing.known).known_us) as connection:
        base = stored_homes.must_know_base(connection, base)
        homes = stored_homes.homes(connection, day=on)
        fleet = inventory.fleet(connection, on)
        found = attended(upkeep_due(fleet, intervals(values), on + timedelta(seconds=within)), homes, on)
    rows = (
        {
            "due": str(one.due),
            "work": one.kind.value,
            "home": one.kept.standing.home,
            "base": homes[one.kept.standing.home].base,
            "device": name(one.kept.device),
            "late_days": max((on - one.due).days, 0),
        }
        for one in found
        if kind in (None, one.kind) and base in ("", homes[one.kept.standing.home].base)
    )
    listing.tell(rows, COLUMNS, values)
