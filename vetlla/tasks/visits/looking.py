"""Finds visits: by day, base, technician and home."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import DAY_US
from vetlla.service.duties.standing import standing
from vetlla.service.visits.visit import KIND, HomeVisit, visit_of
from vetlla.store.duties import events as store
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.book import duties_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

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
    """Return the visits in the order of their intervals."""
    found = (visit_of(one) for one in _standings(connection, rules, wanted, now_us))
    kept = (
        visit
        for visit in found
        if wanted.base in {"", visit.base}
        and wanted.technician in {"", visit.technician}
        and (not wanted.is_open or visit.standing.is_open)
        and _is_within(rules, wanted, visit)
    )
    return sorted(kept, key=lambda visit: (visit.begin_us, visit.technician, visit.id))


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
