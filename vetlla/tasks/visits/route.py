"""The route sheet of a day: the visits of a base, technician by technician, as a file of any kind."""

from __future__ import annotations

from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.documents.icalendar_file import CalendarEvent, calendar
from vetlla.documents.pdf import pdf
from vetlla.documents.visits.route import RouteContent, RouteStop, route_page
from vetlla.domain.clock import as_of, to_datetime
from vetlla.domain.errors import UsageError
from vetlla.service.visits.visit import KIND, OF_DEVICES, VisitPurpose, details_of
from vetlla.store.homes import queries as home_store
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.source import FileKind
from vetlla.tables.target import finished, write
from vetlla.tasks.duties import book
from vetlla.tasks.visits.looking import VisitFilter, visits

if TYPE_CHECKING:
    import sqlite3
    from datetime import date, datetime
    from pathlib import Path

    from vetlla.documents.words import Language
    from vetlla.domain.clock import Clock
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.visits.visit import HomeVisit

COLUMNS = (
    "visit", "technician", "from", "to", "home", "district", "purpose", "devices", "minutes", "state", "refs",
)  # fmt: skip


class RouteKind(StrEnum):
    """Kinds of file to which a route sheet is written."""

    PDF = "pdf"
    ICS = "ics"
    CSV = FileKind.CSV
    XLSX = FileKind.XLSX
    JSON = FileKind.JSON
    NDJSON = FileKind.NDJSON


class RouteSheet(NamedTuple):
    """The visits of a day, by technician and time."""

    day: date
    base: str
    stops: list[RouteStop]
    made_at: datetime
    """Local."""


class RouteDay(NamedTuple):
    """Which route sheet is made; an empty base or technician leaves out none."""

    day: date
    base: str = ""
    technician: str = ""


def route(state_dir: Path, clock: Clock, rules: DutyRules, of: RouteDay, known_us: int | None = None) -> RouteSheet:
    """Return the route sheet of a day: every visit that was not called off.

    With ``known_us`` it is the sheet that was made at that time. Raises UsageError for an unknown base.
    """
    now_us = as_of(clock, known_us)
    with snapshot(state_dir, clock, known_us) as connection:
        of = of._replace(base=home_store.must_know_base(connection, of.base))
        wanted = VisitFilter(first=of.day, last=of.day, base=of.base, technician=of.technician)
        found = [visit for visit in visits(connection, rules, wanted, now_us) if visit.takes_time]
        districts = home_store.districts(connection, of.day)
        stops = [_stop(connection, rules, visit, districts.get(visit.home, "")) for visit in found]
    made_at = to_datetime(now_us).astimezone(rules.calendar.zone)
    stops.sort(key=lambda stop: (stop.technician, stop.begin, stop.visit))
    return RouteSheet(of.day, of.base, stops, made_at)


def write_route(path: Path, kind: RouteKind, sheet: RouteSheet, language: Language) -> None:
    """Write a route sheet. Raises UsageError if PDF is not installed, or for a calendar without a visit."""
    if kind not in {RouteKind.PDF, RouteKind.ICS}:
        rows = (row_of(stop) for stop in sheet.stops)
        write(path, COLUMNS, ([row[name] for name in COLUMNS] for row in rows), "route", kind=FileKind(kind))
        return
    if kind is RouteKind.PDF:
        content = RouteContent(day=sheet.day, base=sheet.base, made_at=sheet.made_at, stops=sheet.stops)
        written = pdf(route_page(content, language), sheet.made_at.date())
    else:
        if not sheet.stops:
            raise UsageError("no visit matches, and a calendar needs at least one", remedy="vetlla visits list")
        written = calendar((_event(stop) for stop in sheet.stops), sheet.made_at.astimezone(UTC), about="visits")
    with finished(path) as out:
        out.write(written)


def row_of(stop: RouteStop) -> dict[str, object]:
    """Return a visit as a row; times are ISO 8601 in the zone of the service."""
    return {
        "visit": stop.visit,
        "technician": stop.technician,
        "from": stop.begin.isoformat(timespec="minutes"),
        "to": stop.end.isoformat(timespec="minutes"),
        "home": stop.home,
        "district": stop.district,
        "purpose": stop.purpose,
        "devices": " ".join(stop.devices),
        "minutes": stop.minutes,
        "state": stop.state,
        "refs": "; ".join(stop.refs),
    }


def _stop(connection: sqlite3.Connection, rules: DutyRules, visit: HomeVisit, district: str) -> RouteStop:
    devices: list[str] = []
    refs: list[str] = []
    for duty in book.not_withdrawn(connection, rules, visit.duties):
        is_of_device = duty.kind in {purpose.value for purpose in OF_DEVICES}
        devices += [duty.subject] if is_of_device else filter(None, [details_of(duty).get("device", "")])
        refs.append(duty.ref)
    zone = rules.calendar.zone
    return RouteStop(
        visit=visit.id,
        technician=visit.technician,
        begin=to_datetime(visit.begin_us).astimezone(zone),
        end=to_datetime(visit.end_us).astimezone(zone),
        home=visit.home,
        base=visit.base,
        district=district,
        purpose=VisitPurpose(visit.purpose).value,
        devices=tuple(dict.fromkeys(devices)),
        minutes=visit.minutes,
        state=visit.state.value,
        refs=tuple(dict.fromkeys(refs)),
    )


def _event(stop: RouteStop) -> CalendarEvent:
    who = f", {stop.technician}" if stop.technician else ""
    return CalendarEvent(
        uid=f"{KIND}-duty-{stop.visit}@vetlla",
        begin=stop.begin,
        end=stop.end,
        summary=f"{stop.home} {stop.purpose} ({stop.base}{who}, {stop.minutes} min)",
        description="\n".join(filter(None, (stop.district, *stop.devices, *stop.refs))),
        is_confirmed=True,
        categories=tuple(filter(None, (stop.base, stop.technician))),
        is_busy=True,
    )
