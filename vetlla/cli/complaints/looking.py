"""``vetlla complaints list``, ``show`` and ``report``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.complaints.rows import COLUMNS, ComplaintNumber, complaint_fields, complaint_row
from vetlla.cli.kit.duty_rows import all_events, print_events, state_text
from vetlla.cli.kit.duty_view import DutyFigures, DutyView
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import Since, Until, as_month, within
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import footnote
from vetlla.cli.kit.registry import without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.errors import UsageError
from vetlla.service.complaints.complaint import ComplaintKind, complaint
from vetlla.service.duties.kinds import THE_SERVICE
from vetlla.store.duties.events import LATEST
from vetlla.store.homes.queries import must_know_home
from vetlla.tasks.complaints import desk
from vetlla.tasks.duties import looking

if TYPE_CHECKING:
    from vetlla.service.complaints.report import MonthFigures

GROUP_COLUMNS = ("by", "name", "received", "in_time", "late", "open", "pertinent")


@with_option_groups
def list_(
    kind: Annotated[list[ComplaintKind] | None, typer.Option("--kind", help="Only this kind.")] = None,
    home: Annotated[str, typer.Option("--home", help="Only those of this home, or of the word service.")] = "",
    topic: Annotated[str, typer.Option("--topic", metavar="WORD", help="Only those of this topic.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only those that were not answered.")] = False,
    since: Since = "",
    until: Until = "",
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List complaints, claims and suggestions. --since and --until are about their arrival.

    Example: vetlla complaints list --open
    """
    with view.reading(known) as (connection, rules, now_us):
        if home != THE_SERVICE:
            must_know_home(connection, home)
        since_us, until_us = within(since, until)
        wanted = looking.Wanted(
            kinds=tuple(one.value for one in kind) if kind else desk.KINDS,
            subject=home,
            since_us=since_us or 0,
            until_us=LATEST if until_us is None else until_us,
            is_open=is_open,
        )
        found = map(complaint, looking.found(connection, rules, wanted, now_us))
        shape = complaint_fields if view.as_json else complaint_row
        rows = (shape(one) for one in found if not topic or one.topic == topic)
        print_some(rows, COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def show(
    number: ComplaintNumber,
    known: Known = "",
    *,
    view: DutyView,
) -> None:
    """Show a complaint: its clock, the reasons of its verdict, what the city decided, and all events.

    Example: vetlla complaints show 4711
    """
    with view.reading(known) as (connection, rules, now_us):
        one = desk.complaint_of(connection, rules, number, now_us)
        events = all_events(connection, rules, one.standing.duty)
    fields = complaint_fields(one)
    if view.as_json:
        print_json(fields | {"events": events})
        return
    out, duty = console(), one.standing.duty
    topic = f" ({one.topic})" if one.topic else ""
    out.print(f"{duty.kind} {duty.id} of {duty.subject}{topic}: {state_text(one.standing)}", soft_wrap=True)
    out.print(f"  {fields['why']}", soft_wrap=True)
    if one.city_verdict:
        out.print(f"  The city's verdict: {one.city_verdict.replace('_', ' ')}.", soft_wrap=True)
    print_events(events)


@with_option_groups
def report(
    month: Annotated[
        date | None,
        typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month of arrival. Default: this one."),
    ] = None,
    known: Known = "",
    *,
    view: DutyFigures,
) -> None:
    """Report the complaints of a month: answered within 7 days (ANS 19), pertinent ones against active users (ANS 20).

    It lists the late ones, and has figures by district and topic. An active user was attended and not suspended on
    some day of the month.

    Exit status: 0 both standards are kept, 1 one is not.

    Example: vetlla complaints report --month 2026-11
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        first = month or rules.calendar.date_of(now_us).replace(day=1)
        if first > rules.calendar.date_of(now_us):
            raise UsageError(f"{first:%Y-%m} has not begun", remedy="give an earlier month")
        values = rules.parameters.on(first)
        found = desk.month(connection, rules, first, values, now_us)
    if view.as_json:
        print_json(_fields(first, found))
    else:
        _tell(first, found)
        footnote(values)
    if not found.is_kept:
        raise typer.Exit(1)


def _fields(first: date, found: MonthFigures) -> dict[str, Any]:
    return {
        "month": f"{first:%Y-%m}",
        "received": {kind.value: found.received.get(kind.value, 0) for kind in ComplaintKind},
        "cancelled": found.cancelled,
        "in_time": found.in_time,
        "late": [one.id for one in found.late],
        "open": found.open,
        "pertinent": [one.id for one in found.pertinent],
        "users": found.users,
        "most_pertinent": found.users // found.per_pertinent,
        "answers_kept": not found.late,
        "pertinent_kept": found.pertinent_kept,
        "groups": [group._asdict() for group in found.groups],
    }


def _tell(first: date, found: MonthFigures) -> None:
    out = console()
    received = ", ".join(f"{found.received.get(kind.value, 0)} {kind.value}s" for kind in ComplaintKind)
    out.print(f"{first:%Y-%m}: received {received}; {found.cancelled} called off", soft_wrap=True)
    answers = "kept" if not found.late else "not kept"
    out.print(
        f"ANS 19 {answers}: {found.in_time} answered in term, {len(found.late)} late, {found.open} open", soft_wrap=True
    )
    most = found.users // found.per_pertinent
    pertinent = "kept" if found.pertinent_kept else "not kept"
    out.print(
        f"ANS 20 {pertinent}: {len(found.pertinent)} pertinent, at most {most} for {found.users} active users",
        soft_wrap=True,
    )
    print_rows((group._asdict() for group in found.groups), GROUP_COLUMNS, as_json=False)
    print_rows(map(complaint_row, found.late), COLUMNS, as_json=False, title="late")
