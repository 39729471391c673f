"""``vetlla inventory`` keeps every device from the warehouse to retirement. This module imports and exports files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.inventory import movements as inventory_movements
from vetlla.cli.inventory import report as inventory_report
from vetlla.cli.inventory import sample as inventory_sample
from vetlla.cli.inventory import views as inventory_views
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.facts import Correct
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir, formerly
from vetlla.cli.kit.output import console, counted, print_json, talk
from vetlla.cli.kit.registry import CLOCK, Day, background_priority, past, today, without_collector
from vetlla.cli.kit.row_files import (
    ExportFile,
    ExportFormat,
    FileOptions,
    ImportFile,
    importing,
    refuse,
    tell_fault,
    tell_warnings,
)
from vetlla.domain.columns import Effect
from vetlla.domain.devices import TERMINALS, Place
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import FactRecording
from vetlla.domain.printable import printable
from vetlla.service.homes.columns import HOMES, PEOPLE
from vetlla.service.homes.rows import home_row, person_row
from vetlla.service.inventory import row_checks
from vetlla.service.inventory.columns import KINDS
from vetlla.store.homes import queries as homes
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.source import size_of
from vetlla.tables.target import kind_of, write
from vetlla.tasks.homes.rows import Dated
from vetlla.tasks.inventory.imports import import_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(help="Keep homes, people and devices, from the warehouse to retirement.", no_args_is_help=True)
LARGE = 1 << 20
"""Bytes of a file above which an import changes a copy of the registry, so that the receiver is not slowed down."""
_COLUMNS = {
    "homes": [column.name for column in HOMES.columns if column.name != "since"],
    "people": [column.name for column in PEOPLE.columns if column.name != "since"],
    "accounts": ["account", "home", "support_level"],
}
"""Columns of exports. Rows of homes and people are those of one day; accounts have what the inventory can fill."""

What = Annotated[str, typer.Option("--what", help="Kind of rows: devices, homes or people.")]


@app.command("import")
@with_option_groups
def import_(
    file: ImportFile,
    what: What = "devices",
    *,
    options: FileOptions,
    partial: Annotated[bool, typer.Option("--partial", help="Import the good rows even if others are bad.")] = False,
    day: Day = None,
    correct: Correct = False,
    overrule: Annotated[
        bool, typer.Option("--overrule", help="Take the file's values also where they were changed by hand since.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Import a file: all of it or, if any row is bad, nothing. Importing it again changes nothing.

    Every fault is listed with its row, column, value and reason. Import homes before the people and devices in them.
    What a row of homes or people changes holds from --day on, or from the day in its column since. The days before keep
    their values; --correct says that the rows correct days that have passed (vetlla homes history shows both).
    A value that an import said before and that was changed by hand since then stays changed, and a warning lists it;
    --overrule takes the file's value. So a device that was moved by hand stays where it is.

    Exit status: 0 imported, 64 nothing imported because rows are bad, 65 only the good rows imported.

    Example: vetlla inventory import devices.csv --mapping oracle.toml
    """
    if what not in KINDS:
        raise UsageError(f"--what {what!r}", remedy=f"one of {', '.join(KINDS)}")
    without_collector()
    is_large = size_of(file) > LARGE
    if is_large:
        background_priority()  # a small import locks the registry: other commands would wait for its low priority
    with importing(file, KINDS[what], options, what=what, as_json=as_json) as (reader, rows):
        recording = FactRecording.of_import(CLOCK.now().utc_us, actor(), printable(file.name))
        dated = Dated(past(day), today(), recording, correct, overrule)
        taken = import_rows(
            state_dir, CLOCK, what, rows, dated, keep_good_rows=partial, dry_run=dry_run, large=is_large
        )
    if taken.faults and not partial:
        refuse(file, taken.faults, reader, as_json=as_json, remedy="; or import the good rows with --partial")
    for fault in taken.faults:
        tell_fault(fault, reader, as_json=as_json)
    tell_warnings([*taken.warnings, *taken.kept], reader, as_json=as_json)
    counts = {effect.value: taken.effects[effect] for effect in Effect}
    if as_json:
        counts |= {"corrected": taken.corrected, "kept": len(taken.kept), "bad": len(taken.faults)}
        print_json({"what": what, "file": str(file), **counts, "dry_run": dry_run})
    else:
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        corrected = f" ({taken.corrected} correct what was recorded of days before)" if taken.corrected else ""
        bad = f", {len(taken.faults)} faults" if taken.faults else ""
        console().print(f"{file}: {said}{corrected}{bad}{' (dry run: nothing was written)' if dry_run else ''}")
        if taken.kept:
            stay = "value stays as it was" if len(taken.kept) == 1 else "values stay as they were"
            console().print(f"{len(taken.kept)} {stay} changed by hand (--overrule takes the file's)")
    if taken.never_active:
        talk().print(f"{counted(taken.never_active, 'home')} without an active period: not attended (column active)")
    if taken.faults:
        raise typer.Exit(os.EX_DATAERR)


@app.command()
def export(
    file: ExportFile,
    what: What = "devices",
    form: ExportFormat = None,
    day: Day = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write the inventory to a file that `vetlla inventory import` takes back unchanged.

    All rows are written as on a day, also retired devices. --what accounts writes the terminals in homes with their
    account and home, for `vetlla accounts import`. Only you can read the file.

    Example: vetlla inventory export devices.xlsx
    """
    kind_of(file, form)
    on = day or today()
    background_priority()
    with snapshot(state_dir, CLOCK) as connection:
        rows: Iterator[dict[str, str]]
        match what:
            case "devices":
                rows = map(row_checks.device_row, inventory.fleet(connection, on, retired=True))
            case "homes":
                rows = map(home_row, homes.homes(connection, day=on).values())
            case "people":
                rows = map(person_row, homes.people(connection, day=on))
            case "accounts":
                known = homes.homes(connection, day=on)
                rows = (
                    row_checks.account_row(kept, known)
                    for kept in inventory.fleet(connection, on)
                    if kept.device.type in TERMINALS and kept.standing.place is Place.HOME and kept.device.account
                )
            case _:
                raise UsageError(f"--what {what!r}", remedy=f"one of {', '.join([*KINDS, 'accounts'])}")
        columns = _COLUMNS[what] if what in _COLUMNS else [column.name for column in KINDS[what].columns]
        write(file, columns, ([*row.values()] for row in rows), what, kind=form, private=True)


for command in (
    inventory_movements.add,
    inventory_movements.install,
    inventory_movements.move,
    inventory_movements.remove,
    inventory_movements.replace,
    inventory_movements.repair,
    inventory_movements.retire,
    inventory_movements.transfer,
    inventory_movements.battery,
    inventory_movements.maintain,
    inventory_views.show,
    inventory_views.find,
    inventory_views.history,
    inventory_views.at,
    inventory_views.parameters,
    inventory_report.report,
    inventory_report.check,
    inventory_report.digital,
):
    app.command(context_settings=formerly(note="reason"))(command)
app.command("list")(inventory_views.list_)
app.command()(inventory_sample.sample)
