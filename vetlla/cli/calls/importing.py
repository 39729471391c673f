"""``vetlla calls import`` and ``export``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.calls.options import AgendaOptions, Zone, window_us, zone_from
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Since, Until, Utc, within
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, background_priority, without_collector
from vetlla.cli.kit.row_files import (
    ExportFile,
    ExportFormat,
    FileOptions,
    ImportFile,
    MappingFile,
    SheetName,
    TextEncoding,
    importing,
    refuse,
    tell_fault,
)
from vetlla.domain.calls import Origin, TieMethod
from vetlla.domain.clock import iso
from vetlla.domain.column_types import MAX_TEXT, is_short
from vetlla.domain.columns import Effect
from vetlla.domain.errors import UsageError
from vetlla.service.calls.asterisk import cdr, queue_log
from vetlla.service.calls.asterisk.lines import CDR_LINES, QUEUE_EVENTS
from vetlla.service.calls.columns import CALLS
from vetlla.service.calls.joining import joined
from vetlla.service.local_time import LocalTime
from vetlla.store.calls import queries
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.headless import Headless
from vetlla.tables.mapping import translation
from vetlla.tables.source import size_of
from vetlla.tables.target import kind_of, write
from vetlla.tasks.calls.imports import CallImport, CallRows, ImportedCalls, RowReader, import_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.columns import RowKind

LARGE: Final = 1 << 20
"""Bytes of a file above which an import changes a copy of the registry, so that the receiver is not slowed down."""
CallFormat = Annotated[
    Origin,
    typer.Option(
        "--format",
        help="rows: CSV, XLSX, JSON or NDJSON with names of columns. asterisk-cdr: Master.csv as Asterisk writes it."
        " asterisk-queue-log: its queue_log.",
    ),
]
Source = Annotated[
    str, typer.Option("--source", metavar="NAME", help="The PBX, if the service has several with ids of their own.")
]


class _Form(NamedTuple):
    """How a format is read."""

    kind: RowKind[Any]
    lines: Headless | None
    reader: RowReader


class CallFileOptions(NamedTuple):
    """Options that say how a file of calls is read."""

    form: CallFormat = Origin.ROWS
    mapping: MappingFile = None
    encoding: TextEncoding = None
    sheet: SheetName = ""
    zone: Zone = ""
    source: Source = ""
    parameters_file: ParametersFile = None


@with_option_groups
def import_(
    file: ImportFile,
    *,
    options: CallFileOptions,
    agenda: AgendaOptions,
    partial: Annotated[bool, typer.Option("--partial", help="Import the good rows even if others are bad.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Import a file of calls: all of it or, if any row is bad, nothing. Importing it again adds nothing.

    Files may come in any order: what they say of one call is joined by its id. Changed data of a row holds from then
    on, and what it replaced stays in the history. A call is tied to the one home that has its number; if no home had
    it, importing the file again looks once more. What `vetlla erase` took from a call stays erased.
    An answered call of a home counts as its open follow-up or revaluation, if it fits exactly one.

    Exit status: 0 imported, 64 nothing imported because rows are bad, 65 only the good rows imported.

    Example: vetlla calls import /var/log/asterisk/cdr-csv/Master.csv --format asterisk-cdr
    """
    if not is_short(options.source):
        raise UsageError(f"--source should be at most {MAX_TEXT} printable characters")
    reading, counting = agenda.counting(options.parameters_file, "import")
    zone = zone_from(options.zone, reading)
    without_collector()
    is_large = size_of(file) > LARGE
    if is_large:
        background_priority()
    form = _form(options.form, LocalTime(zone), translation(options.mapping).values.get("agent", {}))
    about = CallImport(options.form, options.source, actor(), file.name, zone, window_us(reading), counting)
    files = FileOptions(None, options.encoding, options.sheet, options.mapping)
    with importing(file, form.kind, files, what="calls", as_json=as_json, lines=form.lines) as (reader, rows):
        done = import_calls(
            state_dir, CLOCK, about, rows, form.reader, keep_good_rows=partial, dry_run=dry_run, large=is_large
        )
    if done.faults and not partial:
        refuse(file, done.faults, reader, as_json=as_json, remedy="; or import the good rows with --partial")
    for fault in done.faults:
        tell_fault(fault, reader, as_json=as_json)
    _tell(str(file), done, dry_run=dry_run, as_json=as_json)
    if done.faults:
        raise typer.Exit(os.EX_DATAERR)


def _form(origin: Origin, local: LocalTime, agents: Mapping[str, str]) -> _Form:
    match origin:
        case Origin.CDR:
            lines = Headless(",", quoted=True, columns_of=cdr.columns_of)
            return _Form(CDR_LINES, lines, cdr.CdrReader(local, agents))
        case Origin.QUEUE_LOG:
            lines = Headless("|", quoted=False, columns_of=queue_log.columns_of)
            return _Form(QUEUE_EVENTS, lines, queue_log.QueueLogReader())
        case Origin.ROWS:
            return _Form(CALLS, None, CallRows(local))


def _tell(file: str, done: ImportedCalls, *, dry_run: bool, as_json: bool) -> None:
    counts = {effect.value: done.effects[effect] for effect in Effect}
    ties = {method.value: done.ties[method] for method in TieMethod}
    if as_json:
        more = {"skipped": done.skipped, "bad": len(done.faults), "erased": done.erased, "counted": done.counted}
        print_json({"file": file, **counts, **more, "ties": ties, "dry_run": dry_run})
        return
    said = ", ".join(f"{number} {name}" for name, number in counts.items())
    skipped = f", {done.skipped} rows passed over" if done.skipped else ""
    bad = f", {len(done.faults)} faults" if done.faults else ""
    console().print(
        f"{file}: {said}{skipped}{bad}{' (dry run: nothing was written)' if dry_run else ''}", soft_wrap=True
    )
    if several := done.ties[TieMethod.SEVERAL]:
        remedy = "vetlla calls list --untied shows the choice"
        talk().print(f"{several} calls have a number of several homes: {remedy}", soft_wrap=True)
    if done.counted:
        talk().print(f"{done.counted} calls count as calls of the agenda")
    if done.erased:
        talk().print(f"{done.erased} calls were erased: their numbers and recordings were not written again")
    if not done.has_journal:
        talk().print("there is no journal here, so no call is tied to an alarm")


def export(
    file: ExportFile,
    *,
    since: Since = "",
    until: Until = "",
    form: ExportFormat = None,
    _utc: Utc = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write calls with their numbers to a file of rows, which `vetlla calls import` reads as rows of a person.

    Example: vetlla calls export november.csv --since 2026-11-01 --until 2026-12-01
    """
    kind_of(file, form)
    since_us, until_us = within(since, until)
    background_priority()
    with snapshot(state_dir, CLOCK) as connection:
        found = queries.calls(connection, joined, since_us=since_us, until_us=until_us)
        write(file, [column.name for column in CALLS.columns], map(_cells, found), "calls", kind=form, private=True)


def _cells(call: PhoneCall) -> list[object]:
    record = call.record
    times = [iso(time) or "" for time in (record.started, record.ready, record.answered, record.ended)]
    numbers = [record.caller, record.called]
    proofs = [record.recording, record.digest.hex(), record.party or "", call.tie.home, call.tie.alarm or ""]
    return [
        call.key.external, record.direction or "", *times, record.agent, *numbers, record.queue, record.outcome or "",
        *proofs,
    ]  # fmt: skip
