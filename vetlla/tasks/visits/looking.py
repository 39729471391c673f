"""Finds visits: by day, base, technician and home."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import DAY_US
from vetlla.domain.codes import code_key
from vetlla.service.duties.standing import standing
from vetlla.service.visits.visit import KIND, HomeVisit, visit_of
from vetlla.store.duties import events as store
from vetlla.tasks.bases import RecordedBase, bases_of
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.book import duties_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules

WIDEST_US: Final = DAY_US
"""How much later than its day a visit's interval may end, because a user may record one wider than allowed."""


class VisitFilter(NamedTuple):
    """Which visits are looked for; an empty filter leaves out none."""

    first: date | None = None
    last: date | None = None
    """Days on which the interval begins, both included; either both are given or neither."""
    base: str = ""
    technician: str = ""
    home: str = ""
    is_open: bool = False


def visits(connection: sqlite3.Connection, rules: DutyRules, wanted: VisitFilter, now_us: int) -> list[HomeVisit]:
    """Return the visits in the order of their intervals.

    Codes of bases and technicians that differ only in case or spaces are the same.
    """
    found = (visit_of(one) for one in _standings(connection, rules, wanted, now_us))
    technician, base = code_key(wanted.technician), code_key(wanted.base)
    near = [
        visit
        for visit in found
        if technician in {"", code_key(visit.technician)}
        and (not wanted.is_open or visit.standing.is_open)
        and _is_within(rules, wanted, visit)
    ]
    kept = (visit for visit in _completed(connection, rules, near) if base in {"", code_key(visit.base)})
    return sorted(kept, key=lambda visit: (visit.begin_us, visit.technician, visit.id))


def visit_with_defaults(connection: sqlite3.Connection, rules: DutyRules, one: Standing) -> HomeVisit:
    """Return the visit that a duty of kind ``visit`` is, with what another system left out."""
    return _completed(connection, rules, [visit_of(one)])[0]


def _completed(connection: sqlite3.Connection, rules: DutyRules, found: Sequence[HomeVisit]) -> list[HomeVisit]:
    """Return visits with what another system may have left out or spelled otherwise.

    The base is by default that of the home, and the time the usual one (parameter ``visit.minutes``). A technician is
    spelled as in the first visit, because there is no list of technicians.
    """
    recorded = (RecordedBase(one.base, one.home, rules.calendar.date_of(one.begin_us)) for one in found)
    bases = bases_of(connection, list(recorded))
    spelled: dict[str, str] = {}
    for one in sorted(found, key=lambda one: one.id):
        spelled.setdefault(code_key(one.technician), one.technician)
    return [
        one._replace(
            base=base,
            technician=spelled[code_key(one.technician)],
            minutes=one.minutes or _usual_minutes(rules, one.standing.duty.opened_us),
        )
        for one, base in zip(found, bases, strict=True)
    ]


def _usual_minutes(rules: DutyRules, at_us: int) -> int:
    return rules.parameters.on(rules.calendar.date_of(at_us)).integer("visit.minutes")


def _is_within(rules: DutyRules, wanted: VisitFilter, visit: HomeVisit) -> bool:
    day = rules.calendar.date_of(visit.begin_us)
    return wanted.first is None or wanted.last is None or wanted.first <= day <= wanted.last


def _standings(
    connection: sqlite3.Connection, rules: DutyRules, wanted: VisitFilter, now_us: int
) -> Iterator[Standing]:
    if wanted.home:
        homes = [wanted.home]
    elif wanted.first is not None and wanted.last is not None:
        begin = rules.calendar.begin_of(wanted.first.toordinal())
        end = rules.calendar.end_of(wanted.last.toordinal()) + WIDEST_US
        homes = store.promised(connection, KIND, begin, end)
    else:
        yield from looking.found(connection, rules, looking.Wanted(kinds=[KIND], is_open=wanted.is_open), now_us)
        return
    for home in homes:
        for duty in duties_of(connection, rules, KIND, home):
            yield standing(duty, rules, now_us)


def days(first: date, last: date) -> list[date]:
    """Return the days from one to another, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
