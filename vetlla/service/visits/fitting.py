"""Decides whether one technician can make several visits, each of them begun inside its promised interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST: Final = 12
"""Most visits of a technician whose orders are tried, for which some 50,000 steps are enough. With 40 minutes each they
fill more than a working day, so a technician who has more of them at the same time cannot make them."""


class VisitSlot(NamedTuple):
    """A visit on a technician's way. Times are in any unit, and all in the same one."""

    begin: int
    end: int
    """First and last moment at which the technician may arrive."""
    length: int
    """How long the technician is busy with it."""


def fit(stops: Sequence[VisitSlot]) -> bool:
    """Return True if one technician can make all visits in some order."""
    return all(_fit(group) for group in _groups(stops))


def clashing(new: VisitSlot, others: Sequence[VisitSlot]) -> list[int]:
    """Return the places in ``others`` of the visits beside which a new one does not fit; none if it fits.

    Visits that do not fit without the new one, either, are not blamed on it.
    """
    near = [place for place, other in enumerate(others) if _touch(new, other)]
    if fit([*others, new]) or not fit(others):
        return [place for place in near if not fit([others[place], new])]
    alone = [place for place in near if not fit([others[place], new])]
    return alone or near


def _touch(one: VisitSlot, other: VisitSlot) -> bool:
    return one.begin <= other.end + other.length and other.begin <= one.end + one.length


def _groups(stops: Sequence[VisitSlot]) -> list[list[VisitSlot]]:
    """Return the visits in groups: those of one group are over before those of the next one can begin."""
    groups: list[list[VisitSlot]] = []
    until = 0
    for stop in sorted(stops):
        if not groups or stop.begin >= until:
            groups.append([])
            until = 0
        groups[-1].append(stop)
        # However the visits of the group are ordered, they are over by then, if they can be made at all.
        until = max(until, stop.end + stop.length)
    return groups


def _fit(stops: Sequence[VisitSlot]) -> bool:
    """Try all orders: for each set of visits made so far, only the earliest end counts."""
    if len(stops) > MOST:
        return False
    whole = (1 << len(stops)) - 1
    ends: list[int | None] = [None] * (whole + 1)
    ends[0] = min((stop.begin for stop in stops), default=0)
    for made in range(whole):
        free = ends[made]
        if free is None:
            continue
        for place, stop in enumerate(stops):
            bit = 1 << place
            arrives = max(free, stop.begin)
            if made & bit or arrives > stop.end:
                continue
            end, known = arrives + stop.length, ends[made | bit]
            if known is None or end < known:
                ends[made | bit] = end
    return ends[whole] is not None
