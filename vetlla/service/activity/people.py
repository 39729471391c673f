"""Who is attended: homes and people on the last day of a month, and who joined and left in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.homes import ServiceState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.homes.attended import DaySpan

_STATES: Final = (
    FigureColumn("by", Form.WORD),
    FigureColumn("name", Form.NAME),
    FigureColumn("active"),
    FigureColumn("suspended"),
    FigureColumn("in_service"),
)
_CHANGES: Final = (
    FigureColumn("who", Form.WORD),
    FigureColumn("joined"),
    FigureColumn("left"),
    FigureColumn("attended"),
)


class Attended(NamedTuple):
    """How many were attended on some day of the month: in the service and not suspended."""

    homes: int
    people: int


def homes_in_service(homes: Iterable[Home], day: date) -> FigureTable:
    """Return the homes that are in the service on a day, by support level, base and district, and all of them."""
    counts: Counter[tuple[str, str, ServiceState]] = Counter()
    for home in homes:
        state = home.state_on(day)
        for by, name in (("level", str(home.level)), ("base", home.base), ("district", home.district), ("total", "")):
            counts[by, name, state] += 1
    return _states("homes", counts, ("level", "base", "district"))


def people_in_service(people: Iterable[Person], homes: Mapping[str, Home], day: date) -> FigureTable:
    """Return the people who are in the service on a day, by user type, and all of them.

    A person whose home is not registered is not counted, as in the invoice.
    """
    counts: Counter[tuple[str, str, ServiceState]] = Counter()
    for person in people:
        home = homes.get(person.home)
        if home is not None:
            state = person.state_on(day, home)
            counts["user_type", person.user_type.value, state] += 1
            counts["total", "", state] += 1
    return _states("people", counts, ("user_type",))


def changes(homes: Mapping[str, Home], people: Iterable[Person], span: DaySpan, attended: Attended) -> FigureTable:
    """Return how many homes and people joined in a month, and left in it: a period began in it, or had its last day.

    Who comes back after a time out of the service joins again.
    """
    with_home = ((person, homes[person.home]) for person in people if person.home in homes)
    of_homes = _turns((home.active for home in homes.values()), span)
    of_people = _turns((person.periods(home)[0] for person, home in with_home), span)
    rows = (("homes", *of_homes, attended.homes), ("people", *of_people, attended.people))
    return FigureTable(name="changes", columns=_CHANGES, rows=rows)


def _turns(every: Iterable[Iterable[Period]], span: DaySpan) -> tuple[int, int]:
    joined = left = 0
    for periods in every:
        for since, until in periods:
            joined += span.first <= since <= span.last
            left += until is not None and span.first <= until <= span.last
    return joined, left


def _states(table: str, counts: Mapping[tuple[str, str, ServiceState], int], order: tuple[str, ...]) -> FigureTable:
    names = sorted({(order.index(by), name) for by, name, _ in counts if by in order})
    keys = [(order[place], name) for place, name in names] + [("total", "")]
    rows = []
    for by, name in keys:
        active, suspended = (
            counts.get((by, name, state), 0) for state in (ServiceState.ACTIVE, ServiceState.SUSPENDED)
        )
        if active or suspended or by == "total":
            rows.append((by, name, active, suspended, active + suspended))
    return FigureTable(name=table, columns=_STATES, rows=tuple(rows))
