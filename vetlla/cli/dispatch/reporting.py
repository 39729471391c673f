"""``vetlla dispatch report``: how fast the units got into homes in a month, ANS 11 and 12."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import as_month, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import footnotes
from vetlla.cli.kit.registry import without_collector
from vetlla.domain.clock import SECOND_US, iso, stretch
from vetlla.domain.emergencies import EmergencyType
from vetlla.domain.errors import UsageError
from vetlla.service.percent import percent_of
from vetlla.tasks.dispatch.month import month_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.report import Figures
    from vetlla.tasks.dispatch.month import MonthReport, Part

COLUMNS = (
    "part", "type", "emergencies", "within share", "within limit", "breaches", "grave", "no access", "cancelled",
    "open", "mobilised", "kept",
)  # fmt: skip
BREACH_COLUMNS = ("alarm", "home", "type", "first communication", "elapsed", "unit", "grave", "events")


@with_option_groups
def report(
    month: Annotated[
        date | None,
        typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month of the service. Default: this one."),
    ] = None,
    known: Known = "",
    *,
    view: DutyView,
) -> None:
    """Report how many emergencies of a month were reached in time: the whole service, each district and each base.

    An emergency belongs to the month of its first communication. Each breach is listed, and a time that exceeds the
    limit by more than half is a grave fault. --json has one object for each part and type.

    Exit status: 1 if the whole service did not keep ANS 11 or 12.

    Example: vetlla dispatch report --month 2026-11
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        this = rules.calendar.date_of(now_us).replace(day=1)
        if month and month > this:
            raise UsageError(f"{month:%Y-%m} has not begun", remedy="name a month that has")
        made = month_report(connection, rules, month or this, now_us)
    with verdict(0 if made.is_kept else 1):
        if view.as_json:
            for part, row in _rows(made):
                print_json(_fields(month or this, made, part, row))
        else:
            _print(month or this, made)
        footnotes(made.footnotes)


def _rows(made: MonthReport) -> Iterator[tuple[Part, Figures]]:
    for part in made.parts:
        for row in part.figures.values():
            yield part, row


def _is_kept(made: MonthReport, row: Figures) -> bool:
    return row.keeps_limit and (row.type is EmergencyType.II or row.keeps_share(made.offered))


def _fields(month: date, made: MonthReport, part: Part, row: Figures) -> dict[str, Any]:
    is_first = row.type is EmergencyType.I
    return {
        "month": f"{month:%Y-%m}",
        "of": part.of,
        "name": part.name,
        "type": row.type.value,
        "ans": 11 if is_first else 12,
        "emergencies": row.emergencies,
        "within_share": row.within_share if is_first else None,
        "share_minutes": made.share_minutes if is_first else None,
        "offered_percent": made.offered if is_first else None,
        "within_limit": row.within_limit,
        "breached": len(row.breaches),
        "grave": len(row.worse),
        "no_access": row.no_access,
        "cancelled": row.cancelled,
        "open": row.open,
        "mobilised": row.mobilised,
        "kept": _is_kept(made, row),
        "breaches": [_breach(one, grave=one in row.worse) for one in row.breaches],
    }


def _breach(one: StreetEmergency, *, grave: bool) -> dict[str, Any]:
    standing = one.standing
    return {
        "duty": one.id,
        "alarm": one.alarms[0] if one.alarms else None,
        "home": one.home,
        "type": one.type.value,
        "opened": iso(one.opened_us),
        "elapsed_s": standing.elapsed_us / SECOND_US,
        "unit": one.unit or None,
        "grave": grave,
        "events": [event.told.event for event in standing.duty.events],
    }


def _print(month: date, made: MonthReport) -> None:
    out = console()
    out.print(
        f"Emergencies of {month:%Y-%m}. Type I: {made.offered} % within {made.share_minutes} minutes, and all within"
        " the limit. Type II: all within the limit.",
        soft_wrap=True,
    )
    print_rows((_row(made, part, row) for part, row in _rows(made)), COLUMNS, as_json=False)
    late = [one for row in made.parts[0].figures.values() for one in row.breaches]
    worse = [one.id for row in made.parts[0].figures.values() for one in row.worse]
    rows = (_breach_row(one, grave=one.id in worse) for one in late)
    print_rows(rows, BREACH_COLUMNS, as_json=False, title="Breaches")


def _row(made: MonthReport, part: Part, row: Figures) -> dict[str, Any]:
    is_first = row.type is EmergencyType.I
    share = f"{row.within_share} ({percent_of(row.within_share, row.emergencies)} %)" if row.emergencies else "0"
    return {
        "part": f"{part.of} {part.name}".strip(),
        "type": row.type.value,
        "emergencies": row.emergencies,
        "within share": share if is_first else "",
        "within limit": row.within_limit,
        "breaches": len(row.breaches),
        "grave": len(row.worse),
        "no access": row.no_access,
        "cancelled": row.cancelled,
        "open": row.open,
        "mobilised": row.mobilised,
        "kept": _is_kept(made, row),
    }


def _breach_row(one: StreetEmergency, *, grave: bool) -> dict[str, Any]:
    fields = _breach(one, grave=grave)
    return fields | {
        "alarm": one.label,
        "first communication": to_the_second(one.opened_us),
        "elapsed": stretch(one.standing.elapsed_us // SECOND_US),
        "events": " ".join(fields["events"]),
    }
