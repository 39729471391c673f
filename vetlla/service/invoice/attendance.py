"""Who was attended on which days of a month: the units of four concepts (tender 20220428, section 11).

- Essential telecare: a home counts on each day on which at least one of its users is in the service and not suspended.
- Home safety: a home counts once if on some day such a user was in the programme. MIMAL, integrated programmes: each
  user counts once, however many of these programmes they are in.

A person belongs to a home by the dated fact of that day, so who moves counts in both homes, each on its days.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vetlla.service.agenda.wanted import fortnightly
from vetlla.service.invoice.concepts import ESSENTIAL, HOME_SAFETY, PROGRAMMES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from vetlla.domain.homes import Home, Person
    from vetlla.service.homes.attended import DaySpan


class MonthAttendance:
    """Takes people one by one, each as they are on some days of the month, and adds up their days (bits)."""

    def __init__(
        self,
        span: DaySpan,
        homes: Mapping[str, Home],
        programmes: Mapping[str, Collection[str]],
        excluded: Collection[str],
    ) -> None:
        """Take the homes, the codes of the programmes of each concept, and those with fortnightly calls."""
        self.span = span
        self.homes = homes
        self._concepts = {name: concept for concept, names in programmes.items() for name in names}
        self._excluded = frozenset(excluded)
        self.days: dict[str, dict[str, int]] = {concept: {} for concept in (ESSENTIAL, *PROGRAMMES)}
        """By concept: the days of each home, or of each person for MIMAL and integrated programmes."""
        self.homes_of: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        """By MIMAL or integrated programmes and person: the homes of the days that count, in their order."""
        self.home_of: dict[str, str] = {}
        """The last home of each person in the month."""
        self.fortnightly: defaultdict[str, int] = defaultdict(int)
        """Days on which a person of a home is in a programme with fortnightly calls."""
        self.unpaid: defaultdict[str, set[str]] = defaultdict(set)
        """People in a programme that no concept has, by its code."""
        self.without_home: set[str] = set()
        """People whose home is not registered. They are not counted."""

    def add(self, person: Person, first: date, last: date) -> None:
        """Add a person as they are from one day to another, both included."""
        home = self.homes.get(person.home)
        if home is None:
            self.without_home.add(person.code)
            return
        self.home_of[person.code] = home.code
        there = self.span.between(first, last)
        days = self.span.attended(*person.periods(home)) & there
        if person.programmes:
            self._add_programmes(person, days)
            for period in fortnightly([person], self._excluded):
                self.fortnightly[home.code] |= self.span.between(*period) & there
        if days:
            essential = self.days[ESSENTIAL]
            essential[home.code] = essential.get(home.code, 0) | days

    def _add_programmes(self, person: Person, days: int) -> None:
        for name, period in person.programmes:
            found = days & self.span.between(*period)
            if not found:
                continue
            concept = self._concepts.get(name)
            if concept is None:
                self.unpaid[name].add(person.code)
                continue
            key = person.home if concept == HOME_SAFETY else person.code
            of_concept = self.days[concept]
            of_concept[key] = of_concept.get(key, 0) | found
            if concept != HOME_SAFETY and person.home not in (homes := self.homes_of[concept, person.code]):
                homes.append(person.home)

    def units(self, concept: str) -> int:
        """Return the units of a concept: days of homes for essential telecare, homes or people for the others."""
        days = self.days[concept]
        return sum(map(int.bit_count, days.values())) if concept == ESSENTIAL else len(days)

    def without_people(self) -> int:
        """Return how many homes are in the service on some day of the month and have no attended user on any day.

        A home that is suspended for the whole month is not among them, because it is expected to have none.
        """
        attended = self.days[ESSENTIAL]
        return sum(
            code not in attended and self.span.attended(home.active, home.suspended) != 0
            for code, home in self.homes.items()
        )
