"""``vetlla custody import``, ``export`` and ``inventory``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, background_priority
from vetlla.cli.kit.row_files import (
    ExportFile,
    ExportFormat,
    FileOptions,
    ImportFile,
    importing,
    refuse,
    tell_differing,
)
from vetlla.domain.codes import code_key
from vetlla.service.custody.chain import KEY
from vetlla.service.custody.columns import COLUMNS, KEYS, STOCK, key_row
from vetlla.service.custody.stock import compare
from vetlla.store.duties import events as store
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.target import kind_of, write
from vetlla.tasks.custody import register
from vetlla.tasks.custody.imports import import_keys

if TYPE_CHECKING:
    from vetlla.domain.columns import Fault


@with_option_groups
def import_(
    file: ImportFile,
    *,
    options: FileOptions,
    rules: RuleOptions,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Import a register of keys: all of a file or, if any row is bad or not possible, nothing.

    Columns: home, key, event, at, by, place, authorisation, may_return, copies, reason, alarm, alarm_check,
    to, receipt, certificate, witness, note. A row without event cedes a key. Importing a file again changes nothing.

    Exit status: 0 imported, 64 nothing imported because rows are bad.

    Example: vetlla custody import keys.xlsx --mapping keys.toml
    """
    known = rules.rules()
    with importing(file, KEYS, options, what="keys", as_json=as_json) as (reader, rows):
        source = "-" if str(file) == "-" else file.name
        done = import_keys(state_dir, CLOCK, known, rows, source, dry_run=dry_run)
    if done.faults:
        refuse(file, done.faults, reader, as_json=as_json)
    if as_json:
        print_json(
            {
                "file": str(file),
                "new": done.new,
                "unchanged": done.known,
                "differing": done.differing,
                "bad": 0,
                "dry_run": dry_run,
            }
        )
    else:
        dry = " (dry run: nothing was written)" if dry_run else ""
        console().print(f"{file}: {done.new} new, {done.known} unchanged{dry}", soft_wrap=True)
    tell_differing(done.differing)


@with_option_groups
def export(
    file: ExportFile,
    form: ExportFormat = None,
    *,
    rules: RuleOptions,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write the chain of every key to a file that `vetlla custody import` takes back. Only you can read the file.

    Example: vetlla custody export keys.xlsx
    """
    rules.rules()
    kind_of(file, form)
    background_priority()
    with snapshot(state_dir, CLOCK) as connection:
        rows = ([*key_row(event).values()] for event in store.exported(connection, [KEY]))
        write(file, COLUMNS, rows, "keys", kind=form, private=True)


@with_option_groups
def inventory(
    file: ImportFile,
    *,
    options: FileOptions,
    rules: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compare a list of the keys that were counted in the cabinets with the record. Columns: key, place.

    Exit status: 0 all keys are where they should be, 1 there are differences.

    Example: vetlla custody inventory counted.csv
    """
    known = rules.rules()
    faults: list[Fault] = []
    counted: list[tuple[str, str]] = []
    with importing(file, STOCK, options, what="keys", as_json=as_json) as (reader, rows):
        for _, values in rows:
            if isinstance(values, list):
                faults += values
            else:
                counted.append((values["key"], values["place"] or ""))
    if faults:
        refuse(file, faults, reader, as_json=as_json)
    with snapshot(state_dir, CLOCK) as connection:
        # A code may have belonged to a key that was returned; the key that is in custody then counts.
        every = sorted(register.keys(connection, known), key=lambda one: one.in_custody)
        keys = {code_key(key.code): key for key in every}
    differences = [one._asdict() | {"difference": one.difference.value} for one in compare(keys, counted)]
    print_rows(differences, ("key", "home", "difference", "recorded", "found"), as_json=as_json)
    if differences:
        raise typer.Exit(1)
