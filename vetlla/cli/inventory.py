"""``vetlla inventory``: know every device from the warehouse to its retirement. This file: files in and out."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.progress import Progress

from vetlla.cli import inventory_movements, inventory_report, inventory_views
from vetlla.cli.inventory_files import Table, Unreadable, reading, translation, write
from vetlla.cli.inventory_session import Day, changing, long_work, looking, past, recorded_us, today, whole_park
from vetlla.cli.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.output import console, print_json, talk
from vetlla.devices import TERMINALS, Place
from vetlla.errors import UsageError
from vetlla.service import inventory_import as rules
from vetlla.service.inventory_rows import KINDS, MAX_TEXT, Fault, Reader
from vetlla.store import inventory, inventory_write
from vetlla.store.inventory_import import DeviceImport, Effect

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator
    from datetime import date

app = typer.Typer(help="Homes, people and devices: from the warehouse to retirement.", no_args_is_help=True)
LARGE = 1 << 20
"""Bytes of a file from which its import is written apart from the registry, so that the receiver does not feel it."""
EVERY = 5_000
"""Rows between two steps of the progress bar."""

ACCOUNT_COLUMNS = ["account", "home", "support_level"]
"""Of those that `vetlla accounts import` takes: what the inventory knows."""

What = Annotated[str, typer.Option("--what", help="devices, homes or people.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(readable=False, help="CSV, XLSX, JSON or NDJSON.")],
    what: What = "devices",
    mapping: Annotated[
        Path | None, typer.Option(readable=False, help="TOML file that translates headings and words.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Take the good rows although others are bad.")] = False,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Take a file in: all of it or, if any row is bad, nothing. Importing it again changes nothing.

    Every fault is told with its row, column, value and reason. Homes come before the people and devices in them.

    Exit status: 0 taken in, 64 nothing taken since rows are bad, 65 only the good ones taken.

    Example: vetlla inventory import devices.csv --mapping oracle.toml
    """
    if what not in KINDS:
        raise UsageError(f"--what {what!r}", remedy=f"one of {', '.join(KINDS)}")
    whole_park()
    words = translation(mapping)
    with reading(file, what) as table:
        if table.size > LARGE:
            long_work()  # a small one is over at once, and commits in the registry itself: nobody should wait for that
        reader = Reader(what, table.heading, words)
        with changing(state_dir, dry_run=dry_run, large=table.size > LARGE) as connection:
            effects, faults = _take(connection, what, _shown(table), reader, past(day))
            idle = inventory.never_active(connection) if what == "homes" else 0
            if faults and not partial:
                connection.execute("ROLLBACK")
    for fault in faults:
        _tell(fault, reader.heading(fault.column), as_json=as_json)
    if faults and not partial:
        raise UsageError(
            f"{file}: {len(faults)} faults, nothing imported",
            remedy="correct them, then import again; or take the good rows with --partial",
        )
    counts = {effect.value: effects[effect] for effect in Effect}
    if as_json:
        print_json({"what": what, "file": str(file), **counts, "bad": len(faults), "dry_run": dry_run})
    else:
        said = ", ".join(f"{number} {name}" for name, number in counts.items())
        bad = f", {len(faults)} faults" if faults else ""
        console().print(f"{file}: {said}{bad}{' (dry run: nothing was written)' if dry_run else ''}", markup=False)
    if idle:
        talk().print(f"{idle} homes have no active period: they count as not attended (column active)")
    if faults:
        raise typer.Exit(os.EX_DATAERR)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(readable=False, help="CSV, XLSX, JSON or NDJSON, by its ending.")],
    what: What = "devices",
    day: Day = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write the inventory to a file that import takes back unchanged; devices as on a day, retired ones too.

    --what accounts writes the terminals in homes with their account and home, for `vetlla accounts import`.

    Example: vetlla inventory export devices.xlsx
    """
    long_work()
    with looking(state_dir) as connection:
        rows: Iterator[dict[str, str]]
        match what:
            case "devices":
                rows = map(rules.device_row, inventory.fleet(connection, day or today(), retired=True))
            case "homes":
                rows = map(rules.home_row, inventory.homes(connection).values())
            case "people":
                rows = map(rules.person_row, inventory.people(connection))
            case "accounts":
                homes = inventory.homes(connection)
                rows = (
                    rules.account_row(kept, homes)
                    for kept in inventory.fleet(connection, day or today())
                    if kept.device.type in TERMINALS and kept.standing.place is Place.HOME and kept.device.account
                )
            case _:
                raise UsageError(f"--what {what!r}", remedy=f"one of {', '.join([*KINDS, 'accounts'])}")
        columns = [column.name for column in KINDS[what]] if what in KINDS else ACCOUNT_COLUMNS
        write(file, columns, ([*row.values()] for row in rows), what)


def _take(
    connection: sqlite3.Connection, what: str, rows: Iterable[Row], reader: Reader, day: date
) -> tuple[Counter[Effect], list[Fault]]:
    """Put every good row into the registry; return what that did, and the faults of the others."""
    faults: list[Fault] = []
    put = _TAKERS[what](connection, day)
    effects: Counter[Effect] = Counter()
    for row, cells in rows:
        if isinstance(cells, Unreadable):
            faults.append(Fault(row, "", cells.text[:MAX_TEXT], cells.reason))
            continue
        values, wrong = reader.read(row, cells)
        outcome = wrong or put(row, values)
        if isinstance(outcome, Effect):
            effects[outcome] += 1
        else:
            faults += outcome
    put(0, None)
    return effects, faults


Row: TypeAlias = "tuple[int, list[str] | Unreadable]"
"""A row's number in the file, and its cells."""
Put: TypeAlias = "Callable[[int, dict[str, Any] | None], Effect | list[Fault]]"
"""Takes a row's values; None at the end."""


def _put_devices(connection: sqlite3.Connection, day: date) -> Put:
    known = {code for (code,) in connection.execute("SELECT code FROM homes")}
    checks = rules.DeviceRows(known, day)
    bulk = DeviceImport(connection, day, recorded_us())

    def put(row: int, values: dict[str, Any] | None) -> Effect | list[Fault]:
        if values is None:
            bulk.flush()
            return []
        found = checks.found(row, values)
        if isinstance(found, list):
            return found
        outcome = bulk.put(found)
        return outcome if isinstance(outcome, Effect) else [Fault(row, "home", found.home, outcome)]

    return put


def _put_homes(connection: sqlite3.Connection, _day: date) -> Put:
    known = inventory.homes(connection)
    seen: dict[str, int] = {}

    def put(row: int, values: dict[str, Any] | None) -> Effect | list[Fault]:
        home = rules.home(row, values, seen) if values else []
        if isinstance(home, list) or known.get(home.code) == home:
            return home if isinstance(home, list) else Effect.UNCHANGED
        inventory_write.put_home(connection, home)
        return Effect.CHANGED if home.code in known else Effect.NEW

    return put


def _put_people(connection: sqlite3.Connection, _day: date) -> Put:
    homes = {code for (code,) in connection.execute("SELECT code FROM homes")}
    known = {person.code: person for person in inventory.people(connection)}
    seen: dict[str, int] = {}

    def put(row: int, values: dict[str, Any] | None) -> Effect | list[Fault]:
        person = rules.person(row, values, seen, homes) if values else []
        if isinstance(person, list) or known.get(person.code) == person:
            return person if isinstance(person, list) else Effect.UNCHANGED
        inventory_write.put_person(connection, person)
        return Effect.CHANGED if person.code in known else Effect.NEW

    return put


_TAKERS: dict[str, Callable[[sqlite3.Connection, date], Put]] = {
    "devices": _put_devices,
    "homes": _put_homes,
    "people": _put_people,
}


def _shown(table: Table) -> Iterator[Row]:
    """Pass rows on while a bar, on a terminal, shows how far the file was read."""
    console = talk()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("rows", total=1.0)
        for place, row in enumerate(table.rows):
            if place % EVERY == 0:
                progress.update(bar, completed=table.done())
            yield row


def _tell(fault: Fault, heading: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**fault._asdict(), "heading": heading})
    else:
        named = heading if heading == fault.column else f"{heading} ({fault.column})"
        where = f"column {named}: {fault.value!r} " if fault.column else f"{fault.value!r} " if fault.value else ""
        talk().print(f"row {fault.row}: {where}{fault.reason}", markup=False, soft_wrap=True)


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
    inventory_report.report,
    inventory_report.check,
    inventory_report.digital,
):
    app.command()(command)
app.command("list")(inventory_views.list_)
