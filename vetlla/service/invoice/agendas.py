"""Which answered calls of the agenda are paid (tender 20220428, section 5, concept 2, and section 11).

- Follow-ups and revaluations count that the user answered in the month, also in a call that came in.
- A follow-up does not count on a day on which a person of the home is in a programme with fortnightly calls.
- A revaluation replaces a follow-up. If people of a home were revalued in the month, at most as many of its follow-ups
  count as a month of its support level has, less these revaluations. Later ones are left out first.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.agenda.figures import MONTHS
from vetlla.service.agenda.wanted import FOLLOW_UP, REVALUATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vetlla.domain.homes import Home
    from vetlla.service.agenda.call import AgendaCall


class AgendaReason(StrEnum):
    """Whether an answered call is paid, and why not."""

    PAID = "paid"
    FORTNIGHTLY = "fortnightly_programme"
    REPLACED = "replaced_by_revaluation"


class AnsweredAgenda(NamedTuple):
    """A call of the agenda that a user answered in the month."""

    number: int
    """Of its duty."""
    kind: str
    home: str
    subject: str
    """The home, or the person who was revalued."""
    at_us: int
    way: str
    """``incoming`` for a call that came in; else empty."""
    reason: AgendaReason


class AgendaTerms(NamedTuple):
    """What decides about the calls of a month."""

    begin_us: int
    end_us: int
    day_of: Callable[[int], int]
    """The day of the month of a moment, 0 for the first one."""
    homes: Mapping[str, Home]
    """As they are on the last day of the month."""
    home_of: Mapping[str, str]
    """The last home of each person in the month, for a revaluation that was recorded without its home."""
    fortnightly: Mapping[str, int]
    """By home: days of the month (bits) with a person in a programme with fortnightly calls."""
    follow_ups: Mapping[int, int]
    """Follow-up calls a year, by support level."""


def answered_agendas(calls: Iterable[AgendaCall], terms: AgendaTerms) -> list[AnsweredAgenda]:
    """Return the calls that were answered in the month, by home and time, and which of them are paid."""
    found = sorted(
        (_answered(call, terms) for call in calls if call.is_answered_in(terms.begin_us, terms.end_us)),
        key=lambda one: (one.home, one.at_us, one.number),
    )
    revalued = Counter(one.home for one in found if one.kind == REVALUATION)
    return list(_without_replaced(found, {home: _left(home, times, terms) for home, times in revalued.items()}))


def _answered(call: AgendaCall, terms: AgendaTerms) -> AnsweredAgenda:
    assert call.ended is not None
    duty, told = call.duty, call.ended.told
    day = 1 << terms.day_of(told.at_us)
    home = terms.home_of.get(call.home, call.home) if duty.kind == REVALUATION else call.home
    excluded = duty.kind == FOLLOW_UP and terms.fortnightly.get(home, 0) & day
    reason = AgendaReason.FORTNIGHTLY if excluded else AgendaReason.PAID
    return AnsweredAgenda(duty.id, duty.kind, home, duty.subject, told.at_us, told.detail.get("way", ""), reason)


def _left(home: str, revaluations: int, terms: AgendaTerms) -> int:
    """Return how many follow-ups of a home count beside its revaluations."""
    registered = terms.homes.get(home)
    a_month = -(-terms.follow_ups[registered.level] // MONTHS) if registered else 1
    return max(a_month - revaluations, 0)


def _without_replaced(found: Iterable[AnsweredAgenda], left: dict[str, int]) -> Iterator[AnsweredAgenda]:
    for one in found:
        if one.kind == FOLLOW_UP and one.reason is AgendaReason.PAID and one.home in left:
            if not left[one.home]:
                yield one._replace(reason=AgendaReason.REPLACED)
                continue
            left[one.home] -= 1
        yield one
