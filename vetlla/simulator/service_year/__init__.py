"""A year of the service as the files of other systems would tell it, with planted breaches, and a plan that names them.

``vetlla simulate year`` writes a park (``simulator.park``), a file of events of each kind of duty, and the plan.
The ordinary duties come at the tender's rates (``profile.toml``), and all of them are kept. So whatever is breached was
planted (``planting``). The same seed gives the same year; everything in it is invented.
"""

from __future__ import annotations

import os
import random
import tomllib
from datetime import date
from itertools import chain, count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain import tomlfile
from vetlla.domain.permissions import no_link
from vetlla.service.duties.columns import COLUMNS
from vetlla.service.duties.kinds import THE_SERVICE, Subject, parse_kinds
from vetlla.settings.shipped import duty_kinds_file
from vetlla.simulator import park
from vetlla.simulator.service_year.days import Month, Term, YearCalendar
from vetlla.simulator.service_year.planting import ways
from vetlla.simulator.service_year.routine import follow_ups, ordinary
from vetlla.simulator.service_year.telling import DutyStory, Facts, Planted, facts
from vetlla.tables import delimited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.parameters import Reading
    from vetlla.simulator.park import Park

HERE = Path(__file__).parent
PLAN = "plan.ndjson"
EVENTS = "events"
"""Folder of the files of events."""
FOLLOW_UP = "follow_up"
"""The kind whose duties follow from the support levels of the homes."""
ROWS = 750_000
"""Most rows of a file: some 100 MiB. An import takes 128 MiB and 1,048,576 rows."""
AUDITED = 200
"""Alarms of the audits; an audit need not be of an alarm that this machine knows."""
HOMES_A_TURN = 20_000
"""Every way of a breach is planted once more for each of these portions of homes."""
FIRST_YEAR = 2025
"""The contract began within 2024, so its parameters do not hold for the whole of that year."""


class Written(NamedTuple):
    """What was written."""

    homes: int
    events: int
    duties: int
    planted: int
    """Planted breaches."""
    near: int
    """Planted near misses."""


def write_year(out: Path, homes: int, seed: int, year: int) -> Written:
    """Write a year into a folder. Raises OSError if it cannot be written."""
    made = park.generate(homes, seed)
    park.write(made, out)
    (out / EVENTS).mkdir(exist_ok=True)
    writer = _YearWriter(made, seed, year)
    source = duty_kinds_file()
    kinds = parse_kinds(tomlfile.document(tomlfile.read_input(source)), str(source))
    for name in kinds.names():
        writer.kind(out / EVENTS, name, kinds)
    with os.fdopen(no_link(out / PLAN, os.O_TRUNC), "w", encoding="utf-8") as file:
        file.writelines(f"{one.line()}\n" for one in writer.plan)
    breached = sum(one.verdict == "breached" for one in writer.plan)
    return Written(homes, writer.events, writer.duties, breached, len(writer.plan) - breached)


class _YearWriter:
    """Writes the kinds of one year, one after the other."""

    def __init__(self, made: Park, seed: int, year: int) -> None:
        self._rng = random.Random(f"{seed}/{year}")  # noqa: S311 - a service year, not a secret
        self._reading: Reading = park.reading(date(year, 1, 1))
        self._calendar = YearCalendar(year, self._reading)
        self._profile: dict[str, Any] = tomllib.loads((HERE / "profile.toml").read_text(encoding="utf-8"))
        self._share = len(made.homes) / self._profile["homes"]
        self._homes = made.homes
        self._turns = 1 + len(made.homes) // HOMES_A_TURN
        codes = [home.code for home in made.homes[1::2]] or [home.code for home in made.homes]
        self._subjects = {
            Subject.HOME: codes,
            Subject.HOME_OR_SERVICE: codes,
            Subject.SERVICE: [THE_SERVICE],
            Subject.COMMUNICATION: [f"alarm:{number}" for number in range(1, AUDITED + 1)],
            Subject.PERSON: [person.code for person in made.people],
            Subject.DEVICE: [f"{kept.device.type}:{kept.device.serial}" for kept in made.devices],
        }
        self._bases = {home.code: home.base for home in made.homes}
        self.plan: list[Planted] = []
        self.events = 0
        self.duties = 0

    def kind(self, folder: Path, name: str, kinds: DutyKinds) -> None:
        """Write the files of one kind: its planted duties and a year of ordinary ones, each month mixed up."""
        limit = kinds.kind(name).limit
        entry = self._reading.entry(limit) if limit else None
        term = Term(int(str(entry.value)), entry.unit) if entry else None
        one = facts(name, kinds, self._reading, term)
        planted = list(self._planted(one))
        months = list(self._routine(one))
        self._write(folder, name, chain([planted], months))

    def _planted(self, one: Facts) -> Iterator[DutyStory]:
        subjects = self._codes(one)
        for turn in range(self._turns):
            for number, way in enumerate(ways(one, self._calendar, self._rng)):
                story = DutyStory(one.name, next(subjects), f"PL-{one.name}-{turn}-{number}", way.events)
                self.plan.append(Planted(one.name, story.subject, story.ref, way.name, way.verdict, way.worse))
                yield story

    def _routine(self, one: Facts) -> Iterator[list[DutyStory]]:
        plan: Mapping[str, Any] = self._profile.get(one.name, {})
        if not plan:
            return
        number = max(1, round(plan["a_month"] * self._share))
        for days in self._calendar.months():
            month = Month(days, self._calendar, self._rng)
            if one.name == FOLLOW_UP:
                yield list(follow_ups(one, self._homes, number, month))
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

    def _write(self, folder: Path, name: str, months: Iterable[list[DutyStory]]) -> None:
        rows = self._rows(months)
        for part in count():
            few = islice(rows, ROWS)
            first = next(few, None)
            if first is None:
                return
            path = folder / (f"{name}-{part + 1}.csv" if part else f"{name}.csv")
            with os.fdopen(no_link(path, os.O_TRUNC), "w", encoding="utf-8", newline="") as file:
                delimited.write(file, COLUMNS, chain([first], few))

    def _rows(self, months: Iterable[list[DutyStory]]) -> Iterator[list[str]]:
        for stories in months:
            self.duties += len(stories)
            for story in stories:
                story.base = self._bases.get(story.subject, "")
            rows = [row for story in stories for row in story.rows()]
            self._rng.shuffle(rows)
            self.events += len(rows)
            yield from rows
