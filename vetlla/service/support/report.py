"""The figures of a month: how many tickets of each severity were answered and solved in time.

A ticket belongs to the month in which it was opened. A goal is decided when it is reached, or when its clock runs out.
A share is kept goals of decided ones; goals whose clock still has time are in no share.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.percent import percent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from vetlla.service.support.standing import TicketClock, TicketStanding


class GoalFigures(NamedTuple):
    """What became of one goal of some tickets. Times are working time, of decided goals."""

    in_time: int
    late: int
    median: timedelta | None
    longest: timedelta | None

    @property
    def decided(self) -> int:
        """The denominator of the share."""
        return self.in_time + self.late

    @property
    def percent(self) -> Decimal | None:
        """The share that was kept, in percent; None if no goal is decided."""
        return percent_of(self.in_time, self.decided) if self.decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityFigures:
    """The figures of one severity in a period; "" stands for all severities."""

    severity: str
    tickets: int
    open: int
    paused: int
    """Tickets that were paused at least once."""
    reopened: int
    """Tickets that were reopened at least once."""
    answer: GoalFigures
    solve: GoalFigures


ALL: Final = ""


def figures(standings: Sequence[TicketStanding], severities: Iterable[str]) -> list[SeverityFigures]:
    """Return the figures of each severity, and at the end those of all tickets."""
    by_severity = [
        _figures(severity, [one for one in standings if one.life.severity == severity]) for severity in severities
    ]
    return [*by_severity, _figures(ALL, standings)]


def _figures(severity: str, standings: Sequence[TicketStanding]) -> SeverityFigures:
    return SeverityFigures(
        severity=severity,
        tickets=len(standings),
        open=sum(one.is_open for one in standings),
        paused=sum(one.life.pauses > 0 for one in standings),
        reopened=sum(one.life.reopenings > 0 for one in standings),
        answer=_goal([one.answer for one in standings]),
        solve=_goal([one.solve for one in standings]),
    )


def _goal(clocks: Sequence[TicketClock]) -> GoalFigures:
    decided = [one for one in clocks if one.is_kept is not None]
    times = [one.worked for one in decided]
    kept = sum(one.is_kept is True for one in decided)
    return GoalFigures(kept, len(decided) - kept, _median(times), max(times, default=None))


def _median(times: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(one.total_seconds() for one in times)) if times else None
