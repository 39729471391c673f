"""The figures of ANS 11 and 12: how fast the emergency units get in (tender 20220428, 16.11 and 16.12).

Every emergency is reached within the limit of its type. Of type I, a share is also reached in a shorter time: 80 %, or
the share that was offered. The time runs from the first communication until the unit gets in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.codes import bases_as_written, code_key
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.emergencies import EmergencyType
from vetlla.domain.service_levels import GroupedBy, LevelGroup, PartName
from vetlla.service.dispatch.report import count
from vetlla.service.sla.comparing import HUNDRED, figure, share
from vetlla.service.sla.durations import Durations
from vetlla.service.sla.from_duties import breach_of, counted_by, counts_at, is_of_month, not_agreed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.domain.service_levels import LevelFigure, LevelPart
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.parameters import Reading
    from vetlla.service.sla.from_duties import DutyCases

WITH_SHARE: Final = 11
"""The level that has a share beside its limit."""
_STEPS_US: Final = {EmergencyType.I: MINUTE_US, EmergencyType.II: 3 * MINUTE_US}
"""Steps of the distribution of arrivals: 60 of them are longer than one and a half limits."""


def arrivals_figure(
    ans: int,
    emergencies: Iterable[StreetEmergency],
    share_us: Callable[[StreetEmergency], int],
    reading: Reading,
    cases: DutyCases,
) -> LevelFigure:
    """Return the figures of ANS 11 or 12; all ``emergencies`` are of its type.

    ``share_us`` returns the time of the share that holds for an emergency. One that was called off before its limit
    passed is no case, and one whose clock still runs is counted as undecided.
    """
    by = counted_by(reading, ans)
    found = [one for one in emergencies if is_of_month(counts_at(one.standing, by), cases)]
    kind = found[0].type if found else EmergencyType.I
    counts = count(found, share_us)[kind]
    parts: list[LevelPart] = [share(PartName.LIMIT, counts.within_limit, counts.emergencies, HUNDRED)]
    if ans == WITH_SHARE:
        parts.append(
            share(PartName.SHARE, counts.within_share, counts.emergencies, reading.integer("umo.offered_share"))
        )
    judged = [one for one in found if one.standing.verdict in {DutyVerdict.KEPT, DutyVerdict.BREACHED}]
    assumed = {*reading.assumed(), *(name for one in found for name in not_agreed(one.standing))}
    return figure(
        ans,
        cases.month,
        parts,
        [breach_of(one.standing, one.home) for one in counts.breaches],
        undecided=counts.open,
        assumed=tuple(sorted(assumed)),
        groups=_groups(judged, cases),
        spreads=tuple(one.spread() for one in [_arrivals(judged, share_us, has_share=ans == WITH_SHARE)] if len(one)),
    )


def _arrivals(
    judged: Iterable[StreetEmergency], share_us: Callable[[StreetEmergency], int], *, has_share: bool
) -> Durations:
    """Return the times of those that were reached, with the limits that hold for them."""
    reached = [one for one in judged if one.standing.judging is not None]
    limits = {one.standing.terms.limit_us or 0 for one in reached}
    worse = {
        (one.standing.terms.limit_us or 0) * (100 + one.standing.terms.kind.worse.over) // 100
        for one in reached
        if one.standing.terms.kind.worse
    }
    shares = {share_us(one) for one in reached} if has_share else set()
    step_us = _STEPS_US[reached[0].type] if reached else MINUTE_US
    found = Durations("arrival", sorted(shares | limits | worse), step_us)
    for one in reached:
        found.add(one.standing.elapsed_us)
    return found


def _groups(judged: Iterable[StreetEmergency], cases: DutyCases) -> tuple[LevelGroup, ...]:
    """Return the counts within the limit, by day and by the base from which the unit went, else that of the home."""
    placed = [
        (one, cases.place_of(one.standing).base) for one in sorted(judged, key=lambda one: (one.opened_us, one.id))
    ]
    spelled = bases_as_written(base for _, base in placed)
    found: dict[tuple[GroupedBy, str], list[int]] = {}
    for one, base in placed:
        name = one.base or base
        where = spelled.setdefault(code_key(name), name)
        for key in ((GroupedBy.DAY, f"{cases.calendar.date_of(one.opened_us)}"), (GroupedBy.BASE, where)):
            counts = found.setdefault(key, [0, 0])
            counts[0] += one.standing.verdict is DutyVerdict.KEPT
            counts[1] += 1
    return tuple(LevelGroup(*key, *counts) for key, counts in sorted(found.items()))
