"""Writes the calls and the alarms of the generated year."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.devices import TERMINALS
from vetlla.service.calls.follow_up import least_seconds
from vetlla.simulator.service_year.alarms import AlarmYear
from vetlla.simulator.service_year.calls import Callers, CallYear, awaited, plan_lines
from vetlla.simulator.service_year.days import Month
from vetlla.simulator.service_year.pbx import PbxFiles
from vetlla.simulator.service_year.receiver import ReceiverYear
from vetlla.simulator.service_year.standards import answering, months_planted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vetlla.simulator.park import Park
    from vetlla.simulator.service_year.calls import CallStory
    from vetlla.simulator.service_year.duties import DutyYear
    from vetlla.simulator.service_year.standards import Answering
    from vetlla.simulator.service_year.telling import DutyStory, Planted


class ToldYear(NamedTuple):
    """How many were written, and what was planted in them."""

    number: int
    plan: list[Planted]


@dataclass
class Communications:
    """What the calls and the alarms of a year have in common. Each has random numbers of its own."""

    made: Park
    duties: DutyYear
    profile: Mapping[str, Any]
    turns: int
    """How often each way of a breach is planted."""
    seed: str

    @cached_property
    def limits(self) -> Answering:
        """The limits of ANS 6 on the first day of the year."""
        return answering(self.duties.reading)

    def dice(self, what: str) -> random.Random:
        """Return random numbers."""
        return random.Random(f"{self.seed}/{what}")  # noqa: S311 - a service year, not a secret

    def month_of(self, at_us: int) -> int:
        """Return the local month of a moment."""
        return self.duties.calendar.day_of(at_us).month


def write_alarms(folder: Path, about: Communications, emergencies: Iterable[DutyStory]) -> ToldYear:
    """Write the journal, and give each emergency the number of its alarm."""
    rng, calendar = about.dice("alarms"), about.duties.calendar
    accounts = {kept.standing.home: kept.device.account for kept in about.made.devices if kept.device.type in TERMINALS}
    homes = [home.code for home in about.made.homes]
    year = AlarmYear(about.profile["alarms"], about.duties.share, homes, about.limits, rng)
    of_month: defaultdict[int, list[DutyStory]] = defaultdict(list)
    for duty in emergencies:
        of_month[about.month_of(duty.events[0].at_us)].append(duty)
    plan = [
        *months_planted("alarms_urgent", calendar.year),
        *months_planted("alarms_technical", calendar.year, late=False),
    ]
    with ReceiverYear(folder, calendar.year, accounts, about.limits) as journal:
        for days in calendar.months():
            number = days[0].month
            for one in year.month(Month(days, calendar, rng), of_month[number], about.turns):
                journal.write(one)
                plan += one.plan_lines(journal.alarms, f"{days[0]:%Y-%m}")
                if one.duty:
                    one.duty.alarm = journal.alarms
    return ToldYear(journal.alarms, plan)


def write_calls(folder: Path, about: Communications) -> ToldYear:
    """Write the files of the PBX. The duties must have been told, because the agenda awaits some of the calls."""
    rng, duties = about.dice("calls"), about.duties
    calendar, least_s = duties.calendar, least_seconds(duties.reading)
    phones = {home.code: home.phones[0] for home in about.made.homes}
    callers = Callers(phones, list(phones), duties.watched)
    year = CallYear(about.profile["calls"], duties.share, callers, about.limits, rng)
    of_month: defaultdict[int, list[CallStory]] = defaultdict(list)
    for call in [*duties.planted_calls, *(awaited(one, phones[one.home], least_s, rng) for one in duties.awaited)]:
        of_month[about.month_of(call.at_us)].append(call)
    plan = months_planted("calls", calendar.year)
    with PbxFiles(folder, calendar.zone) as pbx:
        for days in calendar.months():
            month = Month(days, calendar, rng)
            for call in year.month(month, of_month.pop(days[0].month, []), about.turns):
                unique = pbx.write(call)
                plan += plan_lines(call, unique, f"{days[0]:%Y-%m}")
    return ToldYear(pbx.calls, plan)
