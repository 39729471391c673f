"""Findings about clocks that ran out or are about to, for monitoring. They have numbers of tickets, and no texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.service.support.standing import ClockState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.service.support.levels import ServiceLevels
    from vetlla.service.support.standing import TicketClock, TicketStanding


def check(standings: Iterable[TicketStanding], levels: ServiceLevels) -> list[Finding]:
    """Return a finding for each clock that ran out or is about to, the most urgent first."""
    found = [(level, clock.left, one, clock) for one in standings for level, clock in _alerts(one, levels)]
    found.sort(key=lambda entry: (-entry[0], entry[1], entry[2].ticket.id))
    return [_finding(level, one, clock) for level, _, one, clock in found]


def _alerts(one: TicketStanding, levels: ServiceLevels) -> Iterator[tuple[Level, TicketClock]]:
    for clock in one.clocks:
        if clock.state is ClockState.OVERDUE:
            yield Level.CRITICAL, clock
        elif clock.state is ClockState.RUNNING and clock.left <= levels.warning(clock.goal):
            yield Level.WARNING, clock


def _finding(level: Level, one: TicketStanding, clock: TicketClock) -> Finding:
    what = f"ticket {one.ticket.id} ({one.life.severity}): the time to {clock.goal}"
    return Finding(
        check=clock.goal,
        level=level,
        text=f"{what} {'has run out' if level is Level.CRITICAL else 'is about to run out'}",
        remedy=f"vetlla support show {one.ticket.id}",
        figures={"ticket": one.ticket.id, "left_s": clock.left.total_seconds()},
    )
