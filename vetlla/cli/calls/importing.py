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
from vetlla.cli.kit.output import console, counted, print_json, talk
from vetlla.cli.kit.parameters import ParametersFile, load
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
        more = {
            "skipped": done.skipped,
            "bad": len(done.faults),
            "repeated": done.repeated,
            "erased": done.erased,
            "counted": done.counted,
        }
        print_json({"file": file, **counts, **more, "ties": ties, "dry_run": dry_run})
        return
    said = ", ".join(f"{number} {name}" for name, number in counts.items())
    skipped = f", {counted(done.skipped, 'row')} passed over" if done.skipped else ""
    repeated = f", {counted(done.repeated, 'row')} repeated" if done.repeated else ""
    bad = f", {counted(len(done.faults), 'fault')}" if done.faults else ""
    console().print(
        f"{file}: {said}{skipped}{repeated}{bad}{' (dry run: nothing was written)' if dry_run else ''}", soft_wrap=True
    )
    if several := done.ties[TieMethod.SEVERAL]:
        remedy = "vetlla calls list --untied shows the choice"
        have = "has" if several == 1 else "have"
        talk().print(f"{counted(several, 'call')} {have} a number of several homes: {remedy}", soft_wrap=True)
    if done.counted:
        talk().print(f"{counted(done.counted, 'call')} counted for the agenda")
    if done.erased:
        talk().print(f"numbers and recordings of {counted(done.erased, 'erased call')} were not written again")
    if not done.has_journal:
        talk().print("there is no journal here, so no call is tied to an alarm")


def export(
    file: ExportFile,
    *,
    since: Since = "",
    until: Until = "",
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Only calls of this PBX; needed if there are several."),
    ] = None,
    form: ExportFormat = None,
    _utc: Utc = False,
    parameters_file: ParametersFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write calls with their numbers to a file of rows, which `vetlla calls import` reads as rows of a person.

    The ids of two PBX may be the same, and a row does not name its PBX. So each PBX gets a file of its own, which is
    imported with the same --source.

    Example: vetlla calls export november.csv --since 2026-11-01 --until 2026-12-01
    """
    kind_of(file, form)
    load(parameters_file)  # times are on the clock of the service
    since_us, until_us = within(since, until)
    background_priority()
    with snapshot(state_dir, CLOCK) as connection:
        sources = queries.sources(connection)
        if source is None and len(sources) > 1:
            names = ", ".join(repr(name) for name in sources)
            raise UsageError(f"there are calls of several PBX: {names}", remedy="one file for each, with --source NAME")
        if source is not None and source not in sources:
            raise UsageError(f"there are no calls of a PBX {source!r}", remedy="vetlla calls show CALL names the PBX")
        every = queries.calls(connection, joined, since_us=since_us, until_us=until_us)
        found = (call for call in every if source in {None, call.key.source})
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
