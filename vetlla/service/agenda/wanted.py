"""Which calls a month needs: the follow-ups of homes and the revaluations of people (tender 20220428, 5, 16.3, 16.9).

- A home gets its follow-ups by support level. One in a month may be made on any day of it; each of several has an
  equal part of the month.
- A call is wanted if the home is in the service and not suspended on a working day of that time. It must be made before
  the home leaves or is suspended, as far as that is known.
- A day on which a person of the home is in a programme with fortnightly calls is no day for a follow-up, but one for a
  revaluation.
- Every user is revalued, also those of type C: the tender says "all users" (5), and leaves out type C only where it
  speaks of UCR (13.1.g).
- A person who joins in a month was valued on joining, and is not revalued in that month.
- A revaluation for which the person was suspended throughout is wanted in the first month after the suspension.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.agenda.month import agenda_month
from vetlla.service.agenda.rhythm import is_revalued, place_of, turns
from vetlla.service.calendar import add_months

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.homes import Home, Period, Person
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.agenda.month import AgendaMonth
    from vetlla.service.agenda.rhythm import Turn
    from vetlla.service.duties.calendar import ServiceCalendar

FOLLOW_UP: Final = "follow_up"
REVALUATION: Final = "revaluation"
OWN_FOLLOW_UPS: Final = "FU-[0-9][0-9][0-9][0-9]-[0-9][0-9]-*"
"""Pattern (SQLite GLOB) of the references of follow-ups that planning opened, in any month."""


class WantedCall(NamedTuple):
    """A call that a month needs."""

    kind: str
    subject: str
    home: str
    ref: str
    """Reference of its duty; a second duty of the same call gets a number behind it."""
    level: int
    first: date
    last: date
    """First and last day of the time in which it must be made."""
    days: int
    """Working days of the month on which it can be made, as bits; at least one."""
    position: float
    """How far into these days it should lie, from 0 up to 1."""
    replaced_by: str = ""
    """Reference of the revaluation that takes its place; empty for a call that is made."""
    duty: int = 0
    """The duty that is this call, if planning did not open it; 0 if the reference names it."""


class WantedCalls:
    """Finds the calls of one month."""

    def __init__(
        self, figures: AgendaFigures, month: AgendaMonth, calendar: ServiceCalendar, emergencies: Collection[str]
    ) -> None:
        """Take the figures, the month, and the homes that had an emergency in the time before it."""
        self._figures = figures
        self._month = month
        self._calendar = calendar
        self._emergencies = emergencies
        self._earlier: dict[int, AgendaMonth] = {}

    def of(self, homes: Mapping[str, Home], people: Iterable[Person]) -> list[WantedCall]:
        """Return the wanted calls of all homes, by home."""
        living: dict[str, list[Person]] = {}
        for person in people:
            living.setdefault(person.home, []).append(person)
        return [call for home in homes.values() for call in self.of_home(home, living.get(home.code, ()))]

    def of_home(self, home: Home, people: Sequence[Person]) -> Iterator[WantedCall]:
        """Yield the wanted calls of a home and its people: revaluations first."""
        month = self._month
        place = place_of(home.code)
        follow_ups = turns(place, self._figures.follow_ups[home.level], month.first.month - 1)
        replaced: dict[int, str] = {}
        for person in people:
            turn = self._revaluation(person, home, place)
            if turn is None:
                continue
            left = [one for one in follow_ups if one.number not in replaced]
            instead = next((one for one in left if one.number == turn.number), left[0] if left else None)
            if instead:
                replaced[instead.number] = _of_revaluation(person.code, month)
            yield self._call_of_person(person, home, turn, instead, follow_ups)
        times = (home.active, home.suspended, fortnightly(people, self._figures.excluded))
        days = month.days_of(*times)
        for number, turn in enumerate(follow_ups):
            first, last = month.part(number, len(follow_ups))
            if possible := days & month.between(first, last):
                yield WantedCall(
                    FOLLOW_UP,
                    home.code,
                    home.code,
                    f"{_of_follow_ups(home.code, month)}{number + 1}",
                    home.level,
                    first,
                    month.last_of(last, *times),
                    possible,
                    _within_part(turn, number, len(follow_ups)),
                    replaced.get(turn.number, ""),
                )

    def _call_of_person(
        self, person: Person, home: Home, turn: Turn, instead: Turn | None, follow_ups: Sequence[Turn]
    ) -> WantedCall:
        month = self._month
        ref = _of_revaluation(person.code, month)
        times = person.periods(home)
        days, position = month.days_of(*times), turn.position
        if instead is not None and len(follow_ups) > 1:
            number = follow_ups.index(instead)
            position = _within_part(instead, number, len(follow_ups))
            days = days & month.between(*month.part(number, len(follow_ups))) or days
        last = month.last_of(month.last, *times)
        return WantedCall(REVALUATION, person.code, home.code, ref, home.level, month.first, last, days, position)

    def _revaluation(self, person: Person, home: Home, place: float) -> Turn | None:
        """Return the turn of a person's revaluation in this month; None if it has none."""
        active, suspended = person.periods(home)
        month, figures = self._month, self._figures
        if not month.days_of(active, suspended) or _joined(active, month):
            return None
        every = figures.revaluations[home.level]
        if home.level == 1 and home.code in self._emergencies:
            every = min(every, figures.after_emergency)
        own, a_year = place_of(person.code), figures.follow_ups[home.level]
        found = is_revalued(own, place, a_year, every, month.first.month - 1)
        for back in range(1, every) if suspended and found is None else ():
            earlier = self._month_before(back)
            if earlier.days_of(active, suspended) or not any(one.covers(earlier.last) for one in active):
                break
            if missed := is_revalued(own, place, a_year, every, earlier.first.month - 1):
                return missed._replace(number=-1)
        return found

    def _month_before(self, back: int) -> AgendaMonth:
        if back not in self._earlier:
            self._earlier[back] = agenda_month(add_months(self._month.first, -back), self._calendar)
        return self._earlier[back]


def is_own_ref(kind: str, subject: str, month: AgendaMonth, ref: str) -> bool:
    """Return True for the reference of a call that planning opened, or would open, for a subject in a month."""
    if kind == FOLLOW_UP:
        return ref.startswith(_of_follow_ups(subject, month))
    own = _of_revaluation(subject, month)
    return ref == own or ref.startswith(f"{own}-")


def _of_follow_ups(home: str, month: AgendaMonth) -> str:
    return f"FU-{month.name}-{home}-"


def _of_revaluation(person: str, month: AgendaMonth) -> str:
    return f"RV-{month.name}-{person}"


def fortnightly(people: Iterable[Person], excluded: Collection[str]) -> list[Period]:
    """Return when a person of a home is in a programme with fortnightly calls."""
    return [one.period for person in people for one in person.programmes if one.name in excluded]


def joining(
    homes: Mapping[str, Home], people: Iterable[Person], since: date, until: date
) -> Iterator[tuple[Person, date]]:
    """Yield the people who joined the service from one day to another, both included, with the day."""
    for person in people:
        home = homes.get(person.home)
        active, _ = person.periods(home) if home else ((), ())
        for one in active:
            if since <= one.since <= until and not any(_goes_on(other, one.since) for other in active):
                yield person, one.since


def _goes_on(period: Period, day: date) -> bool:
    """Return True if a period was running on the day before."""
    return period.covers(day - timedelta(days=1))


def _joined(active: Iterable[Period], month: AgendaMonth) -> bool:
    """Return True if the service began in the month for a person."""
    return all(one.since >= month.first for one in active if one.since <= month.last)


def _within_part(turn: Turn, number: int, parts: int) -> float:
    """Return how far into its part of the month a turn lies."""
    return min(max(turn.position * parts - number, 0.0), 0.999)
