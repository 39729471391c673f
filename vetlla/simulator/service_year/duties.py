"""Tells the duties of the generated year, and writes them as files of events."""

from __future__ import annotations

import os
import random
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.permissions import no_link
from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.service.agenda.wanted import FOLLOW_UP
from vetlla.service.calls.follow_up import least_seconds
from vetlla.service.duties.columns import COLUMNS
from vetlla.service.duties.kinds import THE_SERVICE, Subject
from vetlla.simulator.service_year.agenda import planted_follow_ups
from vetlla.simulator.service_year.contract_faults import contract_faults
from vetlla.simulator.service_year.days import Month, Term, YearCalendar
from vetlla.simulator.service_year.planting import ways
from vetlla.simulator.service_year.routine import follow_ups, ordinary
from vetlla.simulator.service_year.telling import DutyStory, Facts, Planted, facts
from vetlla.tables import delimited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.parameters import Reading
    from vetlla.simulator.park import Park
    from vetlla.simulator.service_year.agenda import PlantedHome
    from vetlla.simulator.service_year.calls import AwaitedCall, CallStory

ROWS: Final = 750_000
"""Most rows of a file: some 100 MiB. An import takes 128 MiB and 1,048,576 rows."""

AUDITED: Final = 200
"""Alarms of the audits."""


class ToldKind(NamedTuple):
    """A year of one kind: its planted duties, and the ordinary ones of each month."""

    name: str
    months: list[list[DutyStory]]

    def stories(self) -> Iterator[DutyStory]:
        """Yield its duties."""
        return chain.from_iterable(self.months)


class DutyYear:
    """Tells and writes the kinds of one year, one after the other."""

    def __init__(
        self, made: Park, homes: Sequence[PlantedHome], reading: Reading, profile: Mapping[str, Any], seed: str
    ) -> None:
        """Take the park and the homes in which follow-ups are planted that calls fulfil."""
        self._rng = random.Random(seed)  # noqa: S311 - a service year, not a secret
        self.reading = reading
        self.calendar = YearCalendar(reading.day.year, reading)
        self._profile = profile
        self.share = len(made.homes) / profile["homes"]
        self._homes = made.homes
        self._planted_homes = homes
        reserved = {home.code for home in homes}
        codes = [home.code for home in made.homes[1::2] if home.code not in reserved]
        known = frozenset(codes)
        self._subjects = {
            Subject.HOME: codes,
            Subject.HOME_OR_SERVICE: codes,
            Subject.SERVICE: [THE_SERVICE],
            Subject.COMMUNICATION: [f"alarm:{number}" for number in range(1, AUDITED + 1)],
            Subject.PERSON: [person.code for person in made.people if person.home in known],
            Subject.DEVICE: [f"{kept.device.type}:{kept.device.serial}" for kept in made.devices],
        }
        self._home_of = {person.code: person.home for person in made.people}
        self._bases = {home.code: home.base for home in made.homes}
        self.plan: list[Planted] = []
        self.awaited: list[AwaitedCall] = []
        """Follow-ups that a call of the home has to fulfil."""
        self.planted_calls: list[CallStory] = []
        """Calls that fulfil a planted follow-up, or nearly."""
        self.watched = set(reserved)
        """Homes with planted calls of the agenda, which no other call may fulfil."""
        self.events = 0
        self.duties = 0

    def kind(self, name: str, kinds: DutyKinds) -> ToldKind:
        """Return a year of one kind."""
        limit = kinds.kind(name).limit
        entry = self.reading.entry(limit) if limit else None
        term = Term(int(str(entry.value)), entry.unit) if entry else None
        one = facts(name, kinds, self.reading, term)
        planted = [*self._planted(one), *self._faults(one)]
        if name == FOLLOW_UP:
            planted += self._with_calls(one)
        return ToldKind(name, [planted, *self._routine(one)])

    def write(self, folder: Path, told: ToldKind) -> None:
        """Write the files of one kind, each month mixed up."""
        rows = self._rows(told.months)
        for part in count():
            few = islice(rows, ROWS)
            first = next(few, None)
            if first is None:
                return
            path = folder / (f"{told.name}-{part + 1}.csv" if part else f"{told.name}.csv")
            with os.fdopen(no_link(path, os.O_TRUNC), "w", encoding="utf-8", newline="") as file:
                delimited.write(file, COLUMNS, chain([first], few))

    def _planted(self, one: Facts) -> Iterator[DutyStory]:
        subjects = self._codes(one)
        for turn in range(len(self._planted_homes)):
            for number, way in enumerate(ways(one, self.calendar, self._rng)):
                story = DutyStory(one.name, next(subjects), f"PL-{one.name}-{turn}-{number}", way.events)
                month = f"{self.calendar.day_of(way.events[0].at_us):%Y-%m}"
                self.plan.append(
                    Planted(one.name, story.subject, story.ref, way.name, way.verdict, way.worse, one.kind.ans, month)
                )
                if one.name in PLANNED_KINDS:
                    self.watched.add(self._home_of.get(story.subject, story.subject))
                yield story

    def _faults(self, one: Facts) -> Iterator[DutyStory]:
        """Yield the duties that are faults of the contract, whatever a service level says of them."""
        homes = count()
        for number, fault in enumerate(contract_faults(one, self.calendar)):
            at_home = one.kind.subject is Subject.HOME
            subject = fault.subject or (self._at_home(next(homes)) if at_home else THE_SERVICE)
            story = DutyStory(one.name, subject, f"PL-{one.name}-fault-{number}", fault.events)
            month = f"{self.calendar.day_of(fault.events[0].at_us):%Y-%m}"
            planned = Planted(one.name, subject, story.ref, fault.way, fault.verdict, ans=one.kind.ans, month=month)
            self.plan.append(planned._replace(fault=fault.fault))
            yield story

    def _at_home(self, place: int) -> str:
        """Return one of the homes without planted follow-ups."""
        codes = self._subjects[Subject.HOME]
        return codes[place % len(codes)]

    def _with_calls(self, one: Facts) -> Iterator[DutyStory]:
        least_s = least_seconds(self.reading)
        for turn, home in enumerate(self._planted_homes):
            for duty, call, planned in planted_follow_ups(one, home, turn, self.calendar, least_s):
                self.plan.append(planned)
                self.planted_calls.append(call)
                yield duty

    def _routine(self, one: Facts) -> Iterator[list[DutyStory]]:
        plan: Mapping[str, Any] = self._profile.get(one.name, {})
        if not plan:
            return
        number = max(1, round(plan["a_month"] * self.share))
        for days in self.calendar.months():
            month = Month(days, self.calendar, self._rng)
            if one.name == FOLLOW_UP:
                yield list(follow_ups(one, self._homes, number, month, self.awaited))
                continue
            subjects = self._codes(one, days[0].month)
            yield [
                DutyStory(one.name, next(subjects), f"{one.name}-{days[0]:%m}-{place}", events, by=f"OP{place % 60:02}")
                for place, events in enumerate(ordinary(one, plan, number, month))
            ]

    def _codes(self, one: Facts, month: int = 0) -> Iterator[str]:
        """Yield random subjects of a kind without end; codes count up if they need not be registered."""
        known = self._subjects.get(one.kind.subject)
        if known is None:
            return (f"{one.kind.subject}-{month:02}-{place % 50}" for place in count())
        return (self._rng.choice(known) for _ in count())

    def _rows(self, months: Iterable[list[DutyStory]]) -> Iterator[list[str]]:
        for stories in months:
            self.duties += len(stories)
            for story in stories:
                story.base = self._bases.get(story.subject, "")
            rows = [row for story in stories for row in story.rows()]
            self._rng.shuffle(rows)
            self.events += len(rows)
            yield from rows
