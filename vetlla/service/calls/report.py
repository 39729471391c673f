"""The figures of a month's calls for ANS 6 and 7, and the busiest hours. The terminals' signals are not in them.

Tender 20220428, section 16.6 (ANS 6): *t3* is at most 15 s for 90 % of the communications that come in, and never more
than 30 s. Section 16.7 (ANS 7): each one in or out is registered, recorded and kept in the file. Clause 13.1.f: the
band of the day with the highest inflow. An abandoned call has no *t3*, so it is counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.service.calls.proofs import Proof, is_erased, lacks
from vetlla.service.percent import count_for, percent_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo
    from decimal import Decimal

    from vetlla.domain.calls import PhoneCall
    from vetlla.service.parameters import Reading

HOURS: Final = 24
QUARTER_US: Final = 900 * SECOND_US
"""A quarter of an hour: the offsets of all zones are whole ones, and looking one up takes longer than counting."""


class Limits(NamedTuple):
    """The limits of ANS 6."""

    t3_s: int
    share: int
    """Percent of the calls that must keep ``t3_s``."""
    t3_max_s: int


def limits_of(reading: Reading) -> Limits:
    """Return the limits that the parameters say."""
    return Limits(*(reading.integer(f"calls.{name}") for name in ("t3_s", "t3_share", "t3_max_s")))


@dataclass(slots=True)
class CallFigures:
    """Counts of the calls of a period. Each call in is in exactly one of answered, abandoned, lost and undecided."""

    limits: Limits
    incoming: int = 0
    answered: int = 0
    timed: int = 0
    """Answered calls in with a *t3*. The others came without the time at which they were ready."""
    within: int = 0
    """Of these, calls with a *t3* of at most the limit."""
    t3_max_us: int = 0
    breaches: list[PhoneCall] = field(default_factory=list)
    """Calls in whose *t3* is longer than the limit that never may be passed."""
    abandoned: int = 0
    lost: int = 0
    """Calls in that were neither answered nor abandoned: busy, failed, or given up by the queue."""
    undecided: int = 0
    """Calls in whose outcome is unknown, such as those without their queue log."""
    outgoing: int = 0
    out_answered: int = 0
    registered: int = 0
    """Calls in or out with their start, the other side's number and an outcome."""
    talks: int = 0
    """Answered calls in or out: those that can have a recording."""
    recorded: int = 0
    filed: int = 0
    erased: int = 0
    """Calls of homes that were erased: their numbers are gone, and they count as registered."""
    hours: list[int] = field(default_factory=lambda: [0] * HOURS)
    """Calls in by the hour of the day in which they came."""

    @property
    def all(self) -> int:
        """Calls in and out."""
        return self.incoming + self.outgoing

    @property
    def untimed(self) -> int:
        """Answered calls in without a *t3*."""
        return self.answered - self.timed

    @property
    def share(self) -> Decimal | None:
        """Percent of the calls in with a *t3* that kept the limit; None without such calls."""
        return percent_of(self.within, self.timed) if self.timed else None

    @property
    def is_kept(self) -> bool | None:
        """Return True if both parts of ANS 6 were kept by the calls; None if they do not show it.

        A call without a *t3*, or with an unknown outcome, may have waited longer than is ever allowed.
        """
        if self.breaches or self.within < count_for(self.limits.share, self.timed):
            return False
        return True if self.timed and not self.untimed and not self.undecided else None

    @property
    def busiest(self) -> int | None:
        """The hour of the day with the most calls in, the first of several; None without calls in."""
        return max(range(HOURS), key=lambda hour: (self.hours[hour], -hour)) if self.incoming else None


def figures(calls: Iterable[PhoneCall], limits: Limits, zone: tzinfo) -> CallFigures:
    """Return the figures of the calls of a period; ``zone`` is that of the hours."""
    found = CallFigures(limits)
    by_quarter: Counter[int] = Counter()
    for call in calls:
        record = call.record
        if record.direction is Direction.IN:
            _count_in(found, call)
            by_quarter[(record.started or record.ready or 0) // QUARTER_US] += 1
        elif record.direction is Direction.OUT:
            found.outgoing += 1
            found.out_answered += record.outcome is CallOutcome.ANSWERED
        else:
            continue  # only a recording or a party is known of it, and it has no place in a month
        _count_proofs(found, call)
    for quarter, count in by_quarter.items():
        found.hours[to_datetime(quarter * QUARTER_US).astimezone(zone).hour] += count
    return found


def _count_in(found: CallFigures, call: PhoneCall) -> None:
    found.incoming += 1
    match call.record.outcome:
        case CallOutcome.ANSWERED:
            found.answered += 1
        case CallOutcome.ABANDONED:
            found.abandoned += 1
        case None | CallOutcome.QUEUED:
            found.undecided += 1
        case _:
            found.lost += 1
    if call.record.outcome is not CallOutcome.ANSWERED or (t3 := call.t3) is None:
        return
    found.timed += 1
    found.within += t3 <= found.limits.t3_s * SECOND_US
    found.t3_max_us = max(found.t3_max_us, t3)
    if t3 > found.limits.t3_max_s * SECOND_US:
        found.breaches.append(call)


def _count_proofs(found: CallFigures, call: PhoneCall) -> None:
    missing = lacks(call)
    found.erased += is_erased(call)
    found.registered += Proof.REGISTERED not in missing
    found.filed += Proof.FILED not in missing
    if call.record.outcome is CallOutcome.ANSWERED:
        found.talks += 1
        found.recorded += Proof.RECORDED not in missing
