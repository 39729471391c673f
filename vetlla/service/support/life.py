"""The state of a ticket, as its events tell it, and which act is allowed next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.support import TicketAct

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.support import Ticket, TicketEvent


class TicketState(StrEnum):
    """Where a ticket is."""

    WAITING = "waiting"
    """The city has no answer yet."""
    ANSWERED = "answered"
    PAUSED = "paused"
    SOLVED = "solved"


class Interval(NamedTuple):
    """A time in which the clocks of a ticket run; it has no end while they do."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLife:
    """What the events of a ticket come to."""

    severity: str
    running: tuple[Interval, ...]
    answered_at: datetime | None = None
    answer_severity: str = ""
    """The severity at the answer, by which the answer is judged."""
    paused_at: datetime | None = None
    solved_at: datetime | None = None
    pauses: int = 0
    reopenings: int = 0

    @property
    def state(self) -> TicketState:
        """Where the ticket is."""
        if self.solved_at:
            return TicketState.SOLVED
        if self.paused_at:
            return TicketState.PAUSED
        return TicketState.ANSWERED if self.answered_at else TicketState.WAITING


def life_of(ticket: Ticket) -> TicketLife:
    """Return what all events of a ticket come to."""
    opening, *later = ticket.events
    life = TicketLife(severity=opening.severity, running=(Interval(opening.at),))
    for event in later:
        life = _next(life, event)
    return life


def _next(life: TicketLife, event: TicketEvent) -> TicketLife:
    at = event.at
    match event.act:
        case TicketAct.ANSWERED:
            return replace(life, answered_at=at, answer_severity=life.severity)
        case TicketAct.PAUSED:
            return replace(life, running=_stopped(life, at), paused_at=at, pauses=life.pauses + 1)
        case TicketAct.RESUMED:
            return replace(life, running=(*life.running, Interval(at)), paused_at=None)
        case TicketAct.SOLVED:
            return replace(
                life,
                running=_stopped(life, at),
                solved_at=at,
                answered_at=life.answered_at or at,
                answer_severity=life.answer_severity or life.severity,
            )
        case TicketAct.REOPENED:
            running = (*life.running, Interval(at))
            return replace(life, running=running, solved_at=None, reopenings=life.reopenings + 1)
        case TicketAct.OPENED | TicketAct.SEVERITY | TicketAct.NOTE:
            return replace(life, severity=event.severity or life.severity)


def _stopped(life: TicketLife, at: datetime) -> tuple[Interval, ...]:
    *earlier, last = life.running
    return (*earlier, Interval(last.begin, at))


_OPEN: Final = frozenset({TicketState.WAITING, TicketState.ANSWERED, TicketState.PAUSED})
_ALLOWED: Final = {
    TicketAct.ANSWERED: _OPEN,
    TicketAct.PAUSED: _OPEN - {TicketState.PAUSED},
    TicketAct.RESUMED: frozenset({TicketState.PAUSED}),
    TicketAct.SOLVED: _OPEN - {TicketState.PAUSED},
    TicketAct.REOPENED: frozenset({TicketState.SOLVED}),
    TicketAct.SEVERITY: _OPEN,
    TicketAct.NOTE: frozenset(TicketState),
}
"""The states in which an act is allowed."""
_WAY_OUT: Final = {
    TicketState.PAUSED: "vetlla support resume {id}, with --at if the city decided earlier",
    TicketState.SOLVED: "vetlla support reopen {id} if it was not solved",
}


def refuse_wrong(ticket: Ticket, act: TicketAct, at: datetime, now: datetime) -> None:
    """Raise UsageError if the act does not follow from the ticket's state, or its time is wrong."""
    life = life_of(ticket)
    if life.state not in _ALLOWED[act]:
        remedy = _WAY_OUT.get(life.state, "vetlla support show {id} has what was done").format(id=ticket.id)
        raise UsageError(f"ticket {ticket.id} is {life.state}, so it cannot be {_WORDS.get(act, act)}", remedy=remedy)
    if act is TicketAct.ANSWERED and life.answered_at:
        raise UsageError(
            f"ticket {ticket.id} was answered already", remedy=f'vetlla support note {ticket.id} "what was said"'
        )
    refuse_future(at, now)
    if at < ticket.events[-1].at:
        raise UsageError(
            f"ticket {ticket.id} has a later event ({ticket.events[-1].act})",
            remedy=f"vetlla support show {ticket.id} has its time; --at must not be before it",
        )


_WORDS: Final = {TicketAct.SEVERITY: "raised or lowered"}


def refuse_future(at: datetime, now: datetime) -> None:
    """Raise UsageError for a time that is not past."""
    if at > now:
        raise UsageError("--at is in the future", remedy="record what has happened")
