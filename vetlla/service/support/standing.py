"""How a ticket stands: how much of each clock is used, when it runs out, and whether the goal was kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.support.levels import Goal
from vetlla.service.support.life import Interval, TicketState, life_of

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.support import Ticket
    from vetlla.service.support.levels import Limit, ServiceLevels
    from vetlla.service.support.life import TicketLife


class ClockState(StrEnum):
    """What a clock of a ticket says."""

    RUNNING = "running"
    STOPPED = "stopped"
    """The ticket is paused, and the clock has not run out."""
    OVERDUE = "overdue"
    """The clock ran out, and the goal is still not reached."""
    IN_TIME = "in_time"
    LATE = "late"
    """The goal was reached after the clock had run out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketClock:
    """One clock of a ticket."""

    goal: Goal
    state: ClockState
    worked: timedelta
    limit: timedelta
    due: datetime | None
    """When the clock runs out, or ran out; None if it is stopped before that."""

    @property
    def left(self) -> timedelta:
        """What is left of it; below zero if it has run out."""
        return self.limit - self.worked

    @property
    def is_kept(self) -> bool | None:
        """Whether the goal was kept; None while that is not decided."""
        if self.state in {ClockState.RUNNING, ClockState.STOPPED}:
            return None
        return self.state is ClockState.IN_TIME


class TicketStanding(NamedTuple):
    """A ticket with its state and its clocks at a moment."""

    ticket: Ticket
    life: TicketLife
    answer: TicketClock
    solve: TicketClock

    @property
    def clocks(self) -> tuple[TicketClock, TicketClock]:
        """Both clocks."""
        return self.answer, self.solve

    @property
    def is_open(self) -> bool:
        """Return True if the ticket is not solved."""
        return self.life.state is not TicketState.SOLVED


def standing(ticket: Ticket, levels: ServiceLevels, now: datetime) -> TicketStanding:
    """Return how a ticket stands now."""
    life = life_of(ticket)
    return TicketStanding(
        ticket,
        life,
        _clock(ticket, life, levels, Goal.ANSWER, now),
        _clock(ticket, life, levels, Goal.SOLVE, now),
    )


def _clock(ticket: Ticket, life: TicketLife, levels: ServiceLevels, goal: Goal, now: datetime) -> TicketClock:
    # A goal that was reached is judged by the severity of that moment: a later change makes no answer late, or in time.
    reached = life.answered_at if goal is Goal.ANSWER else life.solved_at
    severity = (life.answer_severity if goal is Goal.ANSWER else "") or life.severity
    limit = levels.limit(severity, goal, ticket.opened_at)
    running = life.running if reached is None else _until(life.running, reached)
    end = reached or now
    worked = sum((limit.clock.between(one.begin, min(end, one.end or end)) for one in running), start=timedelta())
    if reached:
        state = ClockState.LATE if worked > limit.needed else ClockState.IN_TIME
    elif worked > limit.needed:
        state = ClockState.OVERDUE
    else:
        state = ClockState.STOPPED if life.paused_at else ClockState.RUNNING
    return TicketClock(goal=goal, state=state, worked=worked, limit=limit.needed, due=_due(running, limit))


def _until(running: tuple[Interval, ...], reached: datetime) -> tuple[Interval, ...]:
    """Return the intervals up to a moment. The one in which it lies has no end: the clock would have run on."""
    return tuple(
        Interval(one.begin, None if one.end is None or one.end >= reached else one.end)
        for one in running
        if one.begin <= reached
    )


def _due(running: tuple[Interval, ...], limit: Limit) -> datetime | None:
    left = limit.needed
    for one in running:
        used = None if one.end is None else limit.clock.between(one.begin, one.end)
        if used is None or used >= left:
            return limit.clock.after(one.begin, left)
        left -= used
    return None
