"""What the ledger of a generated year must say, counted from its plan by the words of sections 17, 18 and 22.

This is a second count in the simplest way, with the assumed answers of ``docs/sanctions.md``. It uses no rule of the
program. Months are numbers that count up, days are dates, and cases have the names that the plan gives them.
"""

from __future__ import annotations

import calendar
import csv
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.rigs.planted_year import MADRID, month_of, planted, short_shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MINOR: Final = {"S03", "S04", "S06", "S10"}
GRAVE: Final = {"S17", "S26", "S27", "S28", "S29"}
FAULT_OF_KIND: Final = {
    "document": "S03", "incident": "S06", "key_destruction": "S41", "obligation": "S10",
    "equality_plan": "18.equality", "conciliation_document": "18.conciliation",
}  # fmt: skip
"""Kind of duty -> the fault that its breach is."""
EVENT_OF_FAULT: Final = {"S04": "rejected", "S41": "lost", "S42": "returned", "S43": "used"}
"""Faults that an event is, and no term: their day is that of the event."""
STREET: Final = {11: "umo_1", 12: "umo_2"}
HALF_AN_HOUR: Final = 1800
OF_TENDER: Final = 80
TOGETHER: Final = "S10"
ALL_TIME: Final = 10_000
"""More months than any contract has."""


class Entry(NamedTuple):
    """A row of the ledger, as far as the plan decides about it."""

    fault: str
    day: date
    about: str = ""
    """The series of months, or the level; empty for others."""
    months: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    faults: tuple[tuple[str, date], ...] = ()


class Case(NamedTuple):
    """A planted case that is a fault by itself, or one of those that are counted."""

    fault: str
    day: date
    name: str
    kind: str
    ans: int | None
    ended: date | None


class Year(NamedTuple):
    """What the judge knows of a generated year."""

    plan: list[dict[str, Any]]
    duties: list[dict[str, Any]]
    """As ``vetlla duties list --json`` prints them; only their times are used."""
    kept: set[tuple[int, str]]
    """Levels and months that were kept. A month of no case is not among them, and does not end a run."""
    events: Path
    """Folder of the files of events."""
    number: int
    offered: int = OF_TENDER
    """Percentage of the arrivals within 30 minutes (ANS 11)."""


def entries(year: Year) -> list[Entry]:
    """Return every row of the ledger."""
    by_ref = {(one["kind"], one["ref"]): one for one in year.duties}
    cases = [one for one in _cases(year, by_ref) if one.day.year == year.number]
    short = _short_of_half_an_hour(year)
    missed: defaultdict[int, set[str]] = defaultdict(set)
    for ans, month in (*planted(year.plan, by_ref), *short_shares(year.plan), *((11, month) for month in short)):
        if month.startswith(f"{year.number}-"):
            missed[ans].add(month)
    found = [Entry(one.fault, one.day, cases=(one.name,)) for one in cases if not one.fault.startswith(("18", "S10"))]
    found += [_penalty(one, date(year.number, 12, 31)) for one in cases if one.fault.startswith("18")]
    found += _late_arrivals(year, by_ref)
    if year.offered > OF_TENDER:
        found += [Entry("S31", _last_day(_count(month)), "ANS 11", (month,)) for month in short]
    for ans, months in missed.items():
        kept = {month for level, month in year.kept if level == ans} - months
        found += _repeated(f"ANS {ans}", months, kept)
    every = {f"{year.number}-{month:02}" for month in range(1, 13)}
    for about, months in _obligations(cases).items():
        found += _repeated(about, months, every - months)
    found += _counted([one for one in cases if one.fault == TOGETHER])
    found += _accumulated("S17", [one for one in found if one.fault in MINOR])
    found += _accumulated("S39", [one for one in found if one.fault in GRAVE])
    return sorted(found)


# --- cases ------------------------------------------------------------------------------------------------------------


def _cases(year: Year, duties: dict[tuple[str, str], dict[str, Any]]) -> Iterable[Case]:
    for one in year.plan:
        fault = one["fault"] or (FAULT_OF_KIND.get(one["kind"]) if one["verdict"] == "breached" else None)
        if not fault:
            continue
        duty = duties[one["kind"], one["ref"]]
        if one["fault"] in EVENT_OF_FAULT:
            day = _day_of_event(year.events / f"{one['kind']}.csv", one["ref"], EVENT_OF_FAULT[one["fault"]])
        else:
            day = _day(duty["due"] or duty["ended"])
        ended = _day(duty["ended"]) if duty["ended"] else None
        yield Case(fault, day, f"{one['kind']} {one['ref']}", one["kind"], one["ans"], ended)


def _day_of_event(file: Path, ref: str, event: str) -> date:
    with file.open(encoding="utf-8", newline="") as rows:
        (at,) = (row["at"] for row in csv.DictReader(rows) if (row["ref"], row["event"]) == (ref, event))
    return _day(at)


def _late_arrivals(year: Year, duties: dict[tuple[str, str], dict[str, Any]]) -> Iterable[Entry]:
    """Yield S27: each month and type in which an arrival was planted that is more than half too late."""
    for ans, kind in STREET.items():
        late: defaultdict[str, list[str]] = defaultdict(list)
        for one in year.plan:
            if one["kind"] == kind and one["worse"]:
                late[month_of(duties[kind, one["ref"]]["opened"])].append(f"emergency {one['ref']}")
        for month, names in late.items():
            yield Entry("S27", _last_day(_count(month)), f"ANS {ans}", (month,), tuple(sorted(names)))


def _short_of_half_an_hour(year: Year) -> set[str]:
    """Return the months in which too few units of type I got in within 30 minutes."""
    inside: defaultdict[str, list[bool]] = defaultdict(list)
    for one in year.duties:
        if one["kind"] == "umo_1" and one["verdict"] in {"kept", "breached"}:
            inside[month_of(one["opened"])].append(one["elapsed"] <= HALF_AN_HOUR)
    return {
        month
        for month, found in inside.items()
        if month.startswith(f"{year.number}-") and sum(found) * 100 < year.offered * len(found)
    }


def _penalty(one: Case, end: date) -> Entry:
    """Return the penalty with a month of delay for each month that has begun after the term, ten at most."""
    until = min(one.ended or end, end)
    months, day = [_count(f"{one.day:%Y-%m}")], one.day
    while day < until and len(months) < 10:
        day += timedelta(days=1)
        last = calendar.monthrange(day.year, day.month)[1]
        if day < until and day.day == min(one.day.day, last) and _count(f"{day:%Y-%m}") > months[-1]:
            months.append(_count(f"{day:%Y-%m}"))
    return Entry(one.fault, one.day, months=_words(months), cases=(one.name,))


# --- months -----------------------------------------------------------------------------------------------------------


def _obligations(cases: Iterable[Case]) -> dict[str, set[str]]:
    """Return the months in which each obligation was missed that no level judges."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in cases:
        if one.ans is None:
            found[f"{one.fault} {one.kind}"].add(f"{one.day:%Y-%m}")
    return found


def _repeated(about: str, missed: Iterable[str], kept: Iterable[str]) -> Iterable[Entry]:
    months, good = sorted(map(_count, missed)), set(map(_count, kept))
    for fault, least, span in (("S29", 3, 12), ("S45", 7, 12), ("R7", 7, ALL_TIME)):
        for reached, group in _groups(months, [month - span for month in months], least):
            yield Entry(fault, _last_day(reached), about, _words(group))
    run: list[int] = []
    for month in [*sorted({*months, *good}), None]:
        if month in months:
            run.append(month)
            continue
        if len(run) >= 5:
            yield Entry("R5", _last_day(run[4]), about, _words(run))
        run = []


def _groups(points: Sequence[Any], after: Sequence[Any], least: int) -> list[tuple[Any, list[Any]]]:
    """Return where enough points lie together, each with what it is made of.

    ``after`` has for each point the one after which its time begins. A later point whose time still has a point of a
    group continues the group.
    """
    found: list[tuple[Any, list[Any]]] = []
    for place, point in enumerate(points):
        inside = [one for one in points[: place + 1] if one > after[place]]
        if len(inside) < least:
            continue
        if found and inside[0] <= found[-1][1][-1]:
            found[-1][1].extend(points[place : place + 1])
        else:
            found.append((point, inside))
    return found


# --- counts -----------------------------------------------------------------------------------------------------------


def _counted(cases: list[Case]) -> Iterable[Entry]:
    """Yield S10, S28 and S44: obligations that were missed once, four times, ten times within a year."""
    cases.sort(key=lambda one: one.day)
    days = [one.day for one in cases]
    for fault, least in (("S10", 1), ("S28", 4), ("S44", 10)):
        for reached, group in _groups(days, [day.replace(year=day.year - 1) for day in days], least):
            yield Entry(fault, reached, cases=tuple(sorted(one.name for one in cases if one.day in group)))


def _accumulated(fault: str, found: list[Entry]) -> Iterable[Entry]:
    """Yield a fault for each three of a lower class within six months; each of them counts once."""
    rest: list[tuple[date, str]] = []
    for one in sorted(found, key=lambda one: (one.day, one.fault)):
        rest.append((one.day, one.fault))
        inside = [other for other in rest if other[0] > _half_a_year_before(one.day)]
        if len(inside) == 3:
            yield Entry(fault, one.day, faults=tuple((name, day) for day, name in inside))
            rest = []


def _half_a_year_before(day: date) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - 6, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _day(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(MADRID).date()


def _count(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


def _words(months: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{month // 12}-{month % 12 + 1:02}" for month in months)


def _last_day(month: int) -> date:
    year, number = divmod(month, 12)
    return date(year, number + 1, calendar.monthrange(year, number + 1)[1])
