"""The figures of a month: complaints answered in term (ANS 19), and pertinent ones against active users (ANS 20)."""

from __future__ import annotations

from collections import Counter, defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import last_of_month
from vetlla.domain.duties import DutyVerdict
from vetlla.service.homes.attended import DaySpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.domain.homes import Home, Person
    from vetlla.service.complaints.complaint import Complaint
    from vetlla.service.duties.calendar import ServiceCalendar


class PertinentMonth(StrEnum):
    """Which month a pertinent complaint counts in (parameter ``complaint.pertinent_month``)."""

    VERDICT = "verdict"
    ARRIVAL = "arrival"


class Group(NamedTuple):
    """The figures of one district or topic."""

    by: str
    """``district`` or ``topic``."""
    name: str
    received: int
    in_time: int
    late: int
    open: int
    pertinent: int


class MonthFigures(NamedTuple):
    """The figures of a month."""

    received: Mapping[str, int]
    """By kind, without those that were called off."""
    cancelled: int
    in_time: int
    late: list[Complaint]
    """Answered too late, or not answered in term."""
    open: int
    """Not answered, and still in term."""
    pertinent: list[Complaint]
    users: int
    """People who were attended on some day of the month."""
    per_pertinent: int
    groups: list[Group]

    @property
    def pertinent_kept(self) -> bool:
        """Return True if there is at most one pertinent complaint for each ``per_pertinent`` active users."""
        return self.per_pertinent * len(self.pertinent) <= self.users

    @property
    def is_kept(self) -> bool:
        """Return True if both standards are kept."""
        return not self.late and self.pertinent_kept


class MonthInput(NamedTuple):
    """What the figures of a month are made of."""

    first: date
    complaints: Iterable[Complaint]
    """All of them, because a verdict may come months after the arrival."""
    homes: Mapping[str, Home]
    people: Iterable[Person]
    month_of: PertinentMonth
    per_pertinent: int


def month_figures(given: MonthInput, calendar: ServiceCalendar) -> MonthFigures:
    """Return the figures of the month that begins on a day."""
    first = given.first
    last = last_of_month(first)
    begin, end = calendar.begin_of(first.toordinal()), calendar.end_of(last.toordinal())
    every = list(given.complaints)
    arrived = [one for one in every if begin <= one.standing.duty.opened_us <= end]
    counted = [one for one in arrived if one.standing.verdict is not DutyVerdict.CANCELLED]
    pertinent = [one for one in every if one.is_pertinent and begin <= counts_at(one, given.month_of) <= end]
    return MonthFigures(
        received=Counter(one.standing.duty.kind for one in counted),
        cancelled=len(arrived) - len(counted),
        in_time=sum(one.standing.verdict is DutyVerdict.KEPT for one in counted),
        late=[one for one in counted if one.standing.verdict is DutyVerdict.BREACHED],
        open=sum(one.standing.verdict is DutyVerdict.OPEN for one in counted),
        pertinent=pertinent,
        users=active_users(given.homes, given.people, first, last),
        per_pertinent=given.per_pertinent,
        groups=_groups(counted, pertinent, given.homes),
    )


def active_users(homes: Mapping[str, Home], people: Iterable[Person], first: date, last: date) -> int:
    """Return how many people were attended and not suspended on some day from first to last.

    A person's own periods count, and without any those of the home.
    """
    span = DaySpan(first, last)
    return sum(
        span.attended(*person.periods(home)) != 0 for person in people if (home := homes.get(person.home)) is not None
    )


def counts_at(one: Complaint, month_of: PertinentMonth) -> int:
    """Return the moment whose month a pertinent complaint counts in."""
    if month_of is PertinentMonth.VERDICT and one.judged:
        return one.judged.told.at_us
    return one.standing.duty.opened_us


def _groups(counted: Iterable[Complaint], pertinent: Iterable[Complaint], homes: Mapping[str, Home]) -> list[Group]:
    figures: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in counted:
        for key in _keys(one, homes):
            figures[key]["received"] += 1
            figures[key][one.standing.verdict.value] += 1
    for one in pertinent:
        for key in _keys(one, homes):
            figures[key]["pertinent"] += 1
    return [
        Group(
            by,
            name,
            count["received"],
            count[DutyVerdict.KEPT],
            count[DutyVerdict.BREACHED],
            count[DutyVerdict.OPEN],
            count["pertinent"],
        )
        for (by, name), count in sorted(figures.items())
    ]


def _keys(one: Complaint, homes: Mapping[str, Home]) -> tuple[tuple[str, str], tuple[str, str]]:
    home = homes.get(one.home)
    district = "service" if not one.home else home.district if home else ""
    return ("district", district), ("topic", one.topic)
