"""``vetlla documents plan``, ``deliver``, ``reject`` and ``request``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.documents.rows import CalendarFile, DocumentCode, Period, print_delivery
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import Entry, RuleOptions
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.errors import UsageError
from vetlla.service.documents.due import all_due, contract_of
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.documents import delivering, planning
from vetlla.tasks.documents.calendar import load_deliverables
from vetlla.tasks.documents.planning import DOCUMENT, PLANNING, Window
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from vetlla.tasks.documents.planning import PlannedDocuments

SHOWN: Final = 20
"""Most documents of a pause that a person is shown; --json shows every one."""


@with_option_groups
def plan(
    until: Annotated[
        date, typer.Option("--until", parser=as_day, metavar="YYYY-MM-DD", help="Last due day that is planned.")
    ],
    since: Annotated[
        date | None,
        typer.Option(
            "--from",
            parser=as_day,
            metavar="YYYY-MM-DD",
            help="First due day. Default: today, or what was not planned since the last time.",
        ),
    ] = None,
    calendar: CalendarFile = None,
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Open the duties of the documents that are due until a day. Planning again changes nothing.

    If the calendar has changed, what is open and not late is called off and opened with its new day. What was due in a
    pause of planning is opened too, and is late; record what was delivered meanwhile with `documents deliver --at`.

    Example: vetlla documents plan --until 2027-03-31 --dry-run
    """
    rules, deliverables = options.rules(), load_deliverables(calendar)
    now_us = CLOCK.now().utc_us
    today = rules.calendar.date_of(now_us)
    if until < (since or today):
        raise UsageError(f"--until {until} is before {since or today}", remedy="give a later day, or an earlier --from")
    due = all_due(deliverables, contract_of(rules.parameters.on(today)), rules.calendar)
    with transaction(state_dir, CLOCK, dry_run=dry_run) as connection:
        done = planning.plan(connection, rules, due, Window(since, until), Recording(now_us, PLANNING), by=actor())
    if as_json:
        opened = [
            {"document": one.code, "period": one.period, "day": str(delivering.day_of(rules, one))}
            for one in done.opened
        ]
        cancelled = [{"document": one.code, "period": one.period} for one in done.cancelled]
        missed = [{"document": one.code, "period": one.period, "day": str(one.day)} for one in done.missed]
        told = {"opened": opened, "cancelled": cancelled, "kept": done.kept, "from": str(done.first), "missed": missed}
        print_json(told | {"dry_run": dry_run})
        return
    out = console()
    for one in done.cancelled:
        out.print(f"called off: {one.code} {one.period}", soft_wrap=True)
    for one in done.opened:
        out.print(f"opened: {one.code} {one.period}, due {delivering.day_of(rules, one)}", soft_wrap=True)
    dry = " (dry run: nothing was written)" if dry_run else ""
    out.print(f"{len(done.opened)} opened, {len(done.cancelled)} called off, {done.kept} unchanged{dry}")
    _tell_pause(done, today)


def _tell_pause(done: PlannedDocuments, today: date) -> None:
    """Say which documents were due while planning had paused."""
    if done.first < today and done.opened:
        talk().print(
            f"planned from {done.first} on, where the last planning ended; if a document was delivered meanwhile:"
            " vetlla documents deliver --at TIME",
            soft_wrap=True,
        )
    for one in done.missed[:SHOWN]:
        talk().print(f"not planned: {one.code} {one.period}, due {one.day}", style="yellow", soft_wrap=True)
    if done.missed:
        more = len(done.missed) - SHOWN
        more_text = f"{more} more; " if more > 0 else ""
        talk().print(f"{more_text}planning had paused: vetlla documents plan without --from opens them", soft_wrap=True)


@with_option_groups
def deliver(
    document: DocumentCode,
    period: Period = "",
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="The file; its name, size and SHA-256 are kept, not the file."),
    ] = None,
    receipt: Annotated[str, typer.Option("--receipt", metavar="NUMBER", help="The register's number of receipt.")] = "",
    calendar: CalendarFile = None,
    *,
    entry: Entry,
) -> None:
    """Record that a document was delivered, with its proof. Without --period it is the only one that is expected now.

    Example: vetlla documents deliver invoice --period 2026-11 --file invoice.xml --receipt E-2026-8817
    """
    rules, deliverables = entry.rules(), load_deliverables(calendar)
    told = entry.told(DOCUMENT, document, "", **delivering.proof_of(file, receipt))
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = delivering.deliver(connection, rules, period, told, entry.recording("documents deliver"))
    print_delivery(done, deliverables, as_json=entry.as_json)


@with_option_groups
def reject(
    document: DocumentCode,
    period: Period = "",
    calendar: CalendarFile = None,
    *,
    entry: Entry,
) -> None:
    """Record that the city rejected a document, with --reason: it is owed again, and its clock has not stopped.

    Example: vetlla documents reject invoice --period 2026-11 --reason "the annex is missing"
    """
    if not entry.note:
        raise UsageError("it is not said why it was rejected", remedy="give --reason")
    rules, deliverables = entry.rules(), load_deliverables(calendar)
    told = entry.told(DOCUMENT, document, "")
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = delivering.reject(connection, rules, period, told, entry.recording("documents reject"))
    print_delivery(done, deliverables, as_json=entry.as_json)


@with_option_groups
def request(document: DocumentCode, calendar: CalendarFile = None, *, entry: Entry) -> None:
    """Open the duty of a document that is owed after a request or another event; --ref names the request.

    Example: vetlla documents request protocols --ref IMSS-44 --at 2026-11-20
    """
    rules, deliverables = entry.rules(), load_deliverables(calendar)
    told = entry.told(DOCUMENT, document, "")
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = delivering.request(connection, rules, deliverables, told, entry.recording("documents request"))
    print_delivery(done, deliverables, as_json=entry.as_json)
