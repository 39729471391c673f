"""A call of the agenda as the events of its duty make it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import to_us
from vetlla.service.agenda.wanted import FOLLOW_UP, REVALUATION

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.agenda.figures import AgendaFigures

FAMILIARISATION: Final = "familiarisation"
CONTACT: Final = "contact_call"
PLANNED_KINDS: Final = (FOLLOW_UP, REVALUATION)
"""Calls of a month, each with a planned moment."""
NEW_KINDS: Final = (FAMILIARISATION, CONTACT)
"""Calls about people who joined: several calls may belong to one duty."""
KINDS: Final = (*PLANNED_KINDS, *NEW_KINDS)
ANSWERED: Final = "answered"
"""Event of a planned call that the user answered."""
ENDS: Final = {FOLLOW_UP: ANSWERED, REVALUATION: ANSWERED, FAMILIARISATION: "done", CONTACT: "done"}
"""Event that ends a call of a kind."""
_WAITING: Final = frozenset({"no_answer", "called", "postponed"})
_OVER: Final = frozenset({"answered", "unanswered", "done", "cancelled", "replaced"})


class AgendaCall(NamedTuple):
    """A call of the agenda: one that the service owes. A call that was made has another number (``domain.calls``)."""

    duty: Duty
    home: str
    level: int
    """Support level of the home when it was planned; 0 if it was opened otherwise."""
    planned_us: int | None
    """When it is to be made, as planned or as last postponed; None for one that was replaced at once."""
    next_us: int
    """When an operator should call next: as planned, or some time after an attempt without an answer."""
    waits: bool
    """Whether an attempt or the user's wish set that time, so that no operator should call earlier."""
    first_us: int
    last_us: int | None
    """End of the time in which it must be made; None if it promises none."""
    attempts: int
    """Calls without an answer."""
    holder: str
    """Operator who took it last and has said nothing since; empty if there is none."""
    held_until_us: int
    """When the hold of that operator ends."""
    ended: DutyEvent | None
    by_plan: bool
    """Whether planning called it off, so that planning may open it again."""

    def is_held(self, now_us: int) -> bool:
        """Return True while an operator has it in hand."""
        return bool(self.holder) and now_us < self.held_until_us

    def is_answered_in(self, begin_us: int, end_us: int) -> bool:
        """Return True if the user answered it between two moments, both included, whenever it was due."""
        return (
            self.ended is not None and self.ended.told.event == ANSWERED and begin_us <= self.ended.told.at_us <= end_us
        )


def call_of(duty: Duty, figures: AgendaFigures) -> AgendaCall:
    """Return a duty of the agenda as a call."""
    opening = duty.events[0].told
    said = said_by(duty.events[0])
    planned = moment_in(said)
    following = planned if planned is not None else opening.begin_us or opening.at_us
    attempts, holder, until, waits = 0, "", 0, False
    ended: DutyEvent | None = None
    for event in duty.events[1:]:
        told = event.told
        holder = ""
        waits = waits or told.event in _WAITING
        if told.event == "taken":
            holder, until = told.by, moment_in(said_by(event), "until") or 0
        elif told.event == "no_answer":
            attempts, following = attempts + 1, told.at_us + figures.retry_us
        elif told.event == "called":
            following = told.at_us + figures.again_us
        elif told.event == "postponed":
            planned = following = moment_in(said_by(event)) or following
        elif told.event in _OVER and ended is None:
            ended = event
    return AgendaCall(
        duty,
        said.get("home", duty.subject),
        int(said.get("level", "0")),
        planned,
        following,
        waits,
        opening.begin_us or opening.at_us,
        opening.end_us,
        attempts,
        holder,
        until,
        ended,
        ended is not None and "cause" in said_by(ended),
    )


def said_by(event: DutyEvent) -> dict[str, str]:
    """Return the details of an event."""
    return event.told.detail


def moment_in(said: dict[str, str], name: str = "planned") -> int | None:
    """Return a moment in the details of an event (microseconds UTC); None if they have none."""
    text = said.get(name)
    return to_us(datetime.fromisoformat(text)) if text else None
