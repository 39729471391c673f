"""``vetlla documents list``, ``due`` and ``calendar``."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.documents.rows import COLUMNS, CalendarFile, Period, delivery_fields, delivery_row
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import as_day, duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import print_rows
from vetlla.cli.kit.registry import CLOCK
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.documents import icalendar_file
from vetlla.documents.deliverables.page import DueDocument, RequestedDocument, calendar_page
from vetlla.documents.html import html
from vetlla.documents.icalendar_file import CalendarEvent
from vetlla.documents.pdf import pdf
from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.errors import UsageError
from vetlla.service.documents.delivery import delivery
from vetlla.service.documents.due import all_due, contract_of
from vetlla.tables.target import finished
from vetlla.tasks.documents.calendar import load_deliverables
from vetlla.tasks.documents.planning import DOCUMENT
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.service.documents.deliverables import Deliverables
    from vetlla.service.documents.due import DocumentDue

AHEAD_S = 30 * 86_400.0
"""How far ahead `documents due` looks by default: every monthly document is in it."""
CALENDAR_COLUMNS = ("day", "document", "period", "title", "rule", "basis", "clause")
_ENDINGS = (".ics", ".pdf", ".html")


@with_option_groups
def list_(
    document: Annotated[str, typer.Argument(metavar="[DOCUMENT]", help="Only this document.")] = "",
    period: Period = "",
    verdict: Annotated[DutyVerdict | None, typer.Option("--verdict", help="Only those with this verdict.")] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="Only those that were rejected.")] = False,
    calendar: CalendarFile = None,
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List the documents on record: when each was due, when it was delivered, and with which receipt.

    Example: vetlla documents list --verdict breached
    """
    deliverables = load_deliverables(calendar)
    with view.reading(known) as (connection, rules, now_us):
        wanted = Wanted(kinds=(DOCUMENT,), subject=document, verdict=verdict)
        found = [delivery(one) for one in looking.found(connection, rules, wanted, now_us)]
    found.sort(key=lambda one: (one.standing.due_us or 0, one.code))
    shape = delivery_fields if view.as_json else delivery_row
    rows = (
        shape(one, deliverables)
        for one in found
        if (not period or one.period == period) and (not rejected or one.rejected)
    )
    print_some(rows, COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def due(
    ahead: Annotated[
        float, duration("--within", help="How far ahead it looks, such as 7d. Default: 30d.", unit="")
    ] = AHEAD_S,
    calendar: CalendarFile = None,
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List the documents that were not delivered and are due soon or late, the first due first.

    Example: vetlla documents due --within 7d
    """
    deliverables = load_deliverables(calendar)
    shape = delivery_fields if view.as_json else delivery_row
    with view.reading() as (connection, rules, now_us):
        found = looking.due(connection, rules, (DOCUMENT,), now_us + round(ahead * SECOND_US), now_us)
        rows = (shape(delivery(one), deliverables) for one in found)
        print_some(rows, COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def show_calendar(
    since: Annotated[
        date | None, typer.Option("--from", parser=as_day, metavar="YYYY-MM-DD", help="First day. Default: today.")
    ] = None,
    until: Annotated[
        date | None,
        typer.Option("--until", parser=as_day, metavar="YYYY-MM-DD", help="Last day. Default: 31 December."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a calendar (.ics), or a page (.pdf, .html).")
    ] = None,
    calendar: CalendarFile = None,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
) -> None:
    """Show the calendar of documents: each day with its term, its basis and its clause. It reads no registry.

    A page is in Catalan, for the city and the office. Documents on request are in it without a day.

    Example: vetlla documents calendar --from 2027-01-01 --until 2027-12-31 --out 2027.pdf
    """
    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{out}: what kind of file is it?", remedy=f"end its name in {', '.join(_ENDINGS)}")
    rules, deliverables = options.rules(), load_deliverables(calendar)
    today = rules.calendar.date_of(CLOCK.now().utc_us)
    first = since or today
    last = until or date(first.year, 12, 31)
    if last < first:
        raise UsageError(f"--until {last} is before {first}", remedy="give a later day, or an earlier --from")
    contract = contract_of(rules.parameters.on(today))
    found = [one for one in all_due(deliverables, contract, rules.calendar) if first <= one.day <= last]
    if out is not None:
        made = _file(out, found, deliverables, (first, last), today)
        with finished(out) as file:
            file.write(made)
        return
    print_rows(_rows(found, deliverables), CALENDAR_COLUMNS, as_json=as_json)
    requested = [one for one in _requested(deliverables) if as_json]
    print_rows(requested, CALENDAR_COLUMNS, as_json=True)


def _rows(found: Iterable[DocumentDue], deliverables: Deliverables) -> Iterable[dict[str, Any]]:
    for one in found:
        known = deliverables.document(one.code)
        yield {
            "day": str(one.day),
            "document": one.code,
            "period": one.period,
            "title": known.ca,
            "title_en": known.en,
            "rule": one.rule.rule.value,
            "basis": known.basis.value,
            "clause": known.clause,
        }


def _requested(deliverables: Deliverables) -> Iterable[dict[str, Any]]:
    for code in deliverables.codes():
        known = deliverables.document(code)
        if rule := known.on_request():
            yield {
                "day": None,
                "document": code,
                "period": None,
                "title": known.ca,
                "title_en": known.en,
                "rule": rule.rule.value,
                "after": rule.after,
                "unit": rule.unit.value if rule.unit else None,
                "basis": known.basis.value,
                "clause": known.clause,
            }


def _file(
    out: Path, found: list[DocumentDue], deliverables: Deliverables, days: tuple[date, date], today: date
) -> bytes:
    if out.suffix.lower() == ".ics":
        made = to_datetime(CLOCK.now().utc_us)
        return icalendar_file.calendar(_entries(found, deliverables), made, about="documents")
    documents = [
        DueDocument(
            day=date.fromisoformat(row["day"]),
            title=row["title"],
            period=row["period"],
            basis=row["basis"],
            code=row["document"],
        )
        for row in _rows(found, deliverables)
    ]
    requested = [
        RequestedDocument(
            title=row["title"], number=row["after"], unit=row["unit"], basis=row["basis"], code=row["document"]
        )
        for row in _requested(deliverables)
    ]
    page = calendar_page(documents, requested, days, today)
    return pdf(page, today) if out.suffix.lower() == ".pdf" else html(page).encode()


def _entries(found: Iterable[DocumentDue], deliverables: Deliverables) -> Iterable[CalendarEvent]:
    for one in found:
        known = deliverables.document(one.code)
        yield CalendarEvent(
            uid=f"document-{one.code}-{one.period}@vetlla",
            begin=one.day,
            end=one.day + timedelta(days=1),
            summary=f"{known.ca} ({one.period})",
            description=f"{one.code}: {known.clause}",
            is_confirmed=True,
            categories=("documents",),
            is_busy=False,
        )
