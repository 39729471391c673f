"""``vetlla duties import`` and ``export``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, counted, print_json, talk
from vetlla.cli.kit.registry import CLOCK, background_priority, without_collector
from vetlla.cli.kit.row_files import (
    ExportFile,
    ExportFormat,
    FileOptions,
    ImportFile,
    importing,
    refuse,
    tell_differing,
    tell_fault,
    tell_warnings,
)
from vetlla.service.duties.columns import COLUMNS, EVENTS, event_row
from vetlla.store.duties import events as store
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.source import size_of
from vetlla.tables.target import kind_of, write
from vetlla.tasks.dispatch.doubts import row_doubts
from vetlla.tasks.duties.imports import import_events

LARGE = 8 << 20
"""Bytes of a file above which an import changes a copy of the registry, so that the receiver is not slowed down. The
events of a smaller file are written within some milliseconds."""


@with_option_groups
def import_(
    file: ImportFile,
    *,
    options: FileOptions,
    rules: RuleOptions,
    partial: Annotated[bool, typer.Option("--partial", help="Import the good rows even if others are bad.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Import events of duties: all of a file or, if any row is bad, nothing. Importing it again changes nothing.

    Columns: kind, subject, event, at, ref, by, note; from and to for a promised time; base, team, alarm; details for
    others, as a JSON object. Rows may be in any order. A time without offset is on the clock of the service
    (parameter zone).

    Exit status: 0 imported, 64 nothing imported because rows are bad, 65 only the good rows imported.

    Example: vetlla duties import complaints.csv --mapping desk.toml
    """
    known = rules.rules()
    without_collector()
    is_large = size_of(file) > LARGE
    if is_large:
        background_priority()  # a small import locks the registry: other commands would wait for its low priority
    with importing(file, EVENTS, options, what="events", as_json=as_json) as (reader, rows):
        done = import_events(
            state_dir,
            CLOCK,
            known,
            rows,
            "-" if str(file) == "-" else file.name,
            keep_good_rows=partial,
            dry_run=dry_run,
            large=is_large,
            doubts=row_doubts,
        )
    if done.faults and not partial:
        refuse(file, done.faults, reader, as_json=as_json, remedy="; or import the good rows with --partial")
    for fault in done.faults:
        tell_fault(fault, reader, as_json=as_json)
    if as_json:
        counts = {"new": done.new, "unchanged": done.known, "bad": len(done.faults), "loose": done.loose}
        counts |= {"differing": done.differing, "erased": done.erased}
        print_json({"file": str(file), **counts, "dry_run": dry_run})
    else:
        bad = f", {len(done.faults)} faults" if done.faults else ""
        dry = " (dry run: nothing was written)" if dry_run else ""
        console().print(f"{file}: {done.new} new, {done.known} unchanged{bad}{dry}", soft_wrap=True)
    tell_differing(done.differing)
    if done.erased:
        talk().print(
            f"{counted(done.erased, 'event')} about erased people: no note and no free detail was written",
            soft_wrap=True,
        )
    tell_warnings(done.warnings, reader, as_json=as_json)
    if done.loose:
        talk().print(
            f"{done.loose} events belong to no duty, because none or several were open at their time:"
            " vetlla duties check --loose",
            soft_wrap=True,
        )
    if done.faults:
        raise typer.Exit(os.EX_DATAERR)


@with_option_groups
def export(
    file: ExportFile,
    form: ExportFormat = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; several times for several.")] = None,
    *,
    rules: RuleOptions,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write the events of duties to a file that `vetlla duties import` takes back. Withdrawn events are left out.

    The file may have notes about people, so only you can read it.

    Example: vetlla duties export faults.xlsx --kind fault
    """
    known = rules.rules()
    kinds = known.kinds.chosen(kind or ())
    kind_of(file, form)
    background_priority()
    with snapshot(state_dir, CLOCK) as connection:
        rows = ([*event_row(event).values()] for event in store.exported(connection, kinds))
        write(file, COLUMNS, rows, "events", kind=form, private=True)
