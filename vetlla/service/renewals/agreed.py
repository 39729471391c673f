"""Replanning: agreed visits stay, and the work that they cover is not planned again."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.visits import Visit, Work
from vetlla.service.renewals.visits_needed import NeededVisit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date


class Replanning(NamedTuple):
    """Input for a new plan that keeps the agreed visits."""

    wishes: list[NeededVisit]
    """All visits that need a day. The agreed ones are among them, with a window of one day."""
    aside: list[Visit]
    """Visits agreed on a day that is no working day of the plan. They stay unchanged, outside the levels."""


def around_agreed(
    wishes: Iterable[NeededVisit],
    agreed: Iterable[Visit],
    days: Sequence[date],
    *,
    installed: Mapping[int, str],
    travel: int,
    today: date,
) -> Replanning:
    """Remove the work of agreed visits from the wishes, and add those visits with their days fixed.

    ``installed``: the home of each device. A device that has left its home is removed from its visit. An agreed visit
    is dropped if no device is left or its day has passed. A visit agreed for a day between ``today`` and the first
    planned day stays, because the users wait for it whatever span is planned.
    """
    covered: defaultdict[str, set[tuple[Work, int]]] = defaultdict(set)
    fixed: list[NeededVisit] = []
    aside: list[Visit] = []
    for visit in agreed:
        still = [task for task in visit.tasks if installed.get(task.device) == visit.home]
        if visit.day < min(days[0], today) or not still:
            continue
        covered[visit.home] |= {(task.work, task.device) for task in still}
        place = bisect_left(days, visit.day)
        if place == len(days) or days[place] != visit.day:
            aside.append(visit)
            continue
        fixed.append(
            NeededVisit(
                home=visit.home,
                base=visit.base,
                rank=visit.why.rank,
                tasks=tuple(still),
                first=place,
                last=place,
                minutes=visit.minutes,
                overdue=visit.why.overdue,
                agreed=visit,
            )
        )
    left = (_without(wish, covered[wish.home], travel) if wish.home in covered else wish for wish in wishes)
    return Replanning([wish for wish in left if wish is not None] + fixed, aside)


def _without(wish: NeededVisit, covered: set[tuple[Work, int]], travel: int) -> NeededVisit | None:
    tasks = tuple(task for task in wish.tasks if (task.work, task.device) not in covered)
    if not any(task.work is Work.RENEWAL for task in tasks):
        return None
    return replace(wish, tasks=tasks, minutes=travel + sum(task.minutes for task in tasks))
