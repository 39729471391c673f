"""What became of the calls of a month: by support level and week, and the load of each day."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.service.agenda.moments import local_time
from vetlla.service.duties.standing import standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.duties.terms import DutyRules

OUTCOMES: Final = ("answered", "unanswered", "replaced", "cancelled", "open")
"""What may become of a call; their numbers add up to the planned calls."""


class OutcomeLine(NamedTuple):
    """The calls of one kind, support level and week."""

    kind: str
    level: int
    week: str
    """The ISO week of the planned moment, such as 2026-W49; of calls that were replaced at once, of their time."""
    counts: Counter[str]
    """By outcome."""
    breached: int
    """How many were not made in their time."""

    @property
    def planned(self) -> int:
        """All calls of the line."""
        return sum(self.counts[outcome] for outcome in OUTCOMES)


class Summary(NamedTuple):
    """What became of the calls of a month."""

    lines: list[OutcomeLine]
    effective: Counter[tuple[str, int]]
    """Calls that were answered in the month, by kind and support level. Those of them that are paid are the agendas of
    the invoice (11, concept 2; ``service.invoice.agendas``)."""
    planned_on: Mapping[date, int]
    """Calls to be made, by the day of their moment."""
    answered_on: Mapping[date, int]


class _Sums:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.breached = 0


def summary(
    calls: Iterable[AgendaCall], rules: DutyRules, now_us: int, span: tuple[int, int], days: Iterable[date]
) -> Summary:
    """Return what became of the calls whose time begins in a month; ``span`` has its first and last microsecond.

    ``calls`` may have those of other months, too: their answers count where they were given.
    """
    begin_us, end_us = span
    sums: defaultdict[tuple[str, int, str], _Sums] = defaultdict(_Sums)
    effective: Counter[tuple[str, int]] = Counter()
    planned: Counter[date] = Counter()
    answered: Counter[date] = Counter()
    for call in calls:
        outcome = call.ended.told.event if call.ended else "open"
        if call.ended and call.is_answered_in(begin_us, end_us):
            effective[call.duty.kind, call.level] += 1
            answered[local_time(call.ended.told.at_us, rules.calendar).date()] += 1
        if not begin_us <= call.first_us <= end_us:
            continue
        at = local_time(call.first_us if call.planned_us is None else call.planned_us, rules.calendar)
        line = sums[call.duty.kind, call.level, f"{at:%G-W%V}"]
        line.counts[outcome] += 1
        line.breached += standing(call.duty, rules, now_us).verdict is DutyVerdict.BREACHED
        if call.planned_us is not None and outcome not in {"replaced", "cancelled"}:
            planned[at.date()] += 1
    lines = [OutcomeLine(*key, found.counts, found.breached) for key, found in sorted(sums.items())]
    every = sorted({*days, *planned, *answered})
    return Summary(lines, effective, {day: planned[day] for day in every}, {day: answered[day] for day in every})
