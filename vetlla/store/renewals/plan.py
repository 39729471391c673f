"""The plan of renewals in the registry: its visits, and a record of each planning."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Any

from vetlla.domain.devices import DeviceType
from vetlla.domain.errors import UsageError
from vetlla.domain.visits import Rank, Task, Visit, Why, Work

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

_VISITS = """
SELECT id, home, base, day, minutes, digital, agreed, earliest, latest, stretch_first, stretch_last, stretch_minutes,
       stretch_days, rank, instead_of, overdue
  FROM visits
 WHERE (:number = 0 OR id = :number) AND (:home = '' OR home = :home) AND (:base = '' OR base = :base)
   AND day BETWEEN :first AND :last AND (NOT :agreed OR agreed)
 ORDER BY day, base, id
"""
_INSERT = "INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def visits(
    connection: sqlite3.Connection,
    *,
    number: int = 0,
    home: str = "",
    base: str = "",
    first: date = date.min,
    last: date = date.max,
    agreed: bool = False,
) -> list[Visit]:
    """Return the visits of the plan in the order of their days: all of them, or those that match every argument."""
    tasks: defaultdict[int, list[Task]] = defaultdict(list)
    for visit, work, device, kind, due, minutes in connection.execute(
        "SELECT visit, work, device, type, due, minutes FROM visit_tasks"
        " WHERE :all OR visit IN (SELECT id FROM visits WHERE id = :number OR home = :home AND home != ''"
        " OR :agreed AND agreed) ORDER BY visit, place",
        {"all": not (number or home or agreed), "number": number, "home": home, "agreed": agreed},
    ):
        tasks[visit].append(Task(Work(work), device, DeviceType(kind), date.fromisoformat(due), minutes))
    rows = connection.execute(
        _VISITS,
        {
            "number": number,
            "home": home,
            "base": base,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "agreed": agreed,
        },
    )
    return [_visit(row, tuple(tasks[row[0]])) for row in rows]


def replace_plan(
    connection: sqlite3.Connection,
    planned: Iterable[Visit],
    *,
    first: date,
    last: date,
    figures: Mapping[str, Any],
    made_us: int,
) -> None:
    """Replace the plan with a new one, within the caller's transaction."""
    connection.execute("DELETE FROM visits")
    (last_number,) = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'visits'"
    ).fetchone()
    numbers = count(last_number + 1)
    numbered = [(visit.number or next(numbers), visit) for visit in planned]
    connection.executemany(_INSERT, (_row(number, visit) for number, visit in numbered))
    connection.executemany(
        "INSERT INTO visit_tasks VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (number, place, task.work.value, task.device, task.type.value, task.due.isoformat(), task.minutes)
            for number, visit in numbered
            for place, task in enumerate(visit.tasks)
        ),
    )
    connection.execute(
        "INSERT INTO plans (made_us, first, last, figures) VALUES (?, ?, ?, ?)",
        (made_us, first.isoformat(), last.isoformat(), json.dumps(figures)),
    )


def agree(connection: sqlite3.Connection, number: int, day: date | None, *, agreed: bool = True) -> Visit:
    """Mark a visit as agreed with the people of the home, on its day or another of its possible days; return it.

    Raises UsageError if there is no such visit, or if it cannot be on that day.
    """
    found = visits(connection, number=number) if number > 0 else []
    if not found:
        raise UsageError(f"no visit {number}", remedy="vetlla renewals show --home CODE shows a home's visits")
    visit = found[0]
    if not visit.home:
        raise UsageError(
            f"visit {number} is for a home that is still to join, so it cannot be agreed",
            remedy="when the home is registered, plan again and agree to its own visit",
        )
    wanted = day or visit.day
    if not visit.why.earliest <= wanted <= visit.why.latest:
        raise UsageError(
            f"visit {number} may be from {visit.why.earliest} to {visit.why.latest}, not on {wanted}",
            remedy="a later day is after the end of a device's useful life; an earlier day wastes part of it",
        )
    connection.execute("UPDATE visits SET agreed = ?, day = ? WHERE id = ?", (agreed, wanted.isoformat(), number))
    return replace(visit, agreed=agreed, day=wanted)


def planned_span(connection: sqlite3.Connection) -> tuple[date, date] | None:
    """Return the first and last day of the plan in force; None if there is no plan."""
    row = connection.execute("SELECT first, last FROM plans ORDER BY id DESC LIMIT 1").fetchone()
    return (date.fromisoformat(row[0]), date.fromisoformat(row[1])) if row else None


def _row(number: int, visit: Visit) -> tuple[object, ...]:
    why = visit.why
    return (
        number,
        visit.home,
        visit.base,
        visit.day.isoformat(),
        visit.minutes,
        visit.digital,
        visit.agreed,
        why.earliest.isoformat(),
        why.latest.isoformat(),
        why.stretch_first.isoformat(),
        why.stretch_last.isoformat(),
        why.stretch_minutes,
        why.stretch_days,
        why.rank.value,
        why.instead_of.isoformat() if why.instead_of else None,
        why.overdue,
    )


def _visit(row: tuple[Any, ...], tasks: tuple[Task, ...]) -> Visit:
    number, home, base, day, minutes, digital, agreed, earliest, latest, first, last, work, days, rank, old, late = row
    return Visit(
        number=number,
        home=home,
        base=base,
        day=date.fromisoformat(day),
        minutes=minutes,
        tasks=tasks,
        digital=None if digital is None else bool(digital),
        agreed=bool(agreed),
        why=Why(
            earliest=date.fromisoformat(earliest),
            latest=date.fromisoformat(latest),
            stretch_first=date.fromisoformat(first),
            stretch_last=date.fromisoformat(last),
            stretch_minutes=work,
            stretch_days=days,
            rank=Rank(rank),
            instead_of=date.fromisoformat(old) if old else None,
            overdue=bool(late),
        ),
    )
