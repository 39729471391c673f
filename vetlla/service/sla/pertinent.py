"""The figures of ANS 20: at most one pertinent complaint or claim a month for each 2,000 active users (16.20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.service_levels import BreachReason, GroupedBy, LevelBreach, LevelGroup, PartName
from vetlla.service.complaints.report import counts_at, month_figures
from vetlla.service.sla.comparing import at_most_one_per, figure

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.complaints.complaint import Complaint
    from vetlla.service.complaints.report import MonthInput, PertinentMonth
    from vetlla.service.parameters import Reading
    from vetlla.service.sla.from_duties import DutyCases


def pertinent_figure(ans: int, given: MonthInput, reading: Reading, cases: DutyCases) -> LevelFigure:
    """Return the figures from all complaints and claims. ``reading`` has given the parameters of ``given``.

    The groups have every pertinent one; breaches are only those beyond the allowed number, the last ones of the month.
    One that came in the month, and of which the city has not decided, is counted as undecided.
    """
    complaints = list(given.complaints)
    found = month_figures(given._replace(complaints=complaints), cases.calendar)
    pertinent = sorted(found.pertinent, key=lambda one: (counts_at(one, given.month_of), one.id))
    allowed = found.users // found.per_pertinent
    undecided = [one for one in complaints if is_waiting(one, cases)]
    groups = [LevelGroup(GroupedBy(one.by), one.name, one.pertinent, one.received) for one in found.groups]
    return figure(
        ans,
        cases.month,
        [at_most_one_per(PartName.PERTINENT, len(pertinent), found.users, found.per_pertinent)],
        [_breach(one, given.month_of) for one in pertinent[allowed:]],
        undecided=len(undecided),
        assumed=reading.assumed(),
        groups=tuple(groups),
    )


def is_waiting(one: Complaint, cases: DutyCases) -> bool:
    """Return True for one that came in the month, and of which the city has not decided."""
    opened_us, verdict = one.standing.duty.opened_us, one.standing.verdict
    return not one.city_verdict and verdict is not DutyVerdict.CANCELLED and cases.begin_us <= opened_us <= cases.end_us


def _breach(one: Complaint, month_of: PertinentMonth) -> LevelBreach:
    return LevelBreach(
        what=one.standing.duty.kind,
        number=str(one.id),
        home=one.home,
        subject=one.topic,
        reason=BreachReason.PERTINENT,
        begun_us=one.standing.duty.opened_us,
        at_us=one.judged.told.at_us if one.judged else counts_at(one, month_of),
    )
