"""A visit to a home, as the events of its duty make it: for what, when, by which technician, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty
    from vetlla.service.duties.standing import Standing

KIND: Final = "visit"
"""The kind of duty that a visit is."""


class VisitPurpose(StrEnum):
    """What a visit is for. All but the last one are also kinds of duties."""

    FAULT = "fault"
    INSTALLATION = "installation"
    REMOVAL = "removal"
    MAINTENANCE = "maintenance"
    RENEWAL = "renewal"
    FOLLOW_UP_VISIT = "follow_up_visit"
    OTHER = "other"


OF_DEVICES: Final = frozenset({VisitPurpose.MAINTENANCE, VisitPurpose.RENEWAL})
"""Purposes whose duties are about one device each, and not about the home."""
RESULTS: Final = {
    VisitPurpose.FAULT: "solved",
    VisitPurpose.INSTALLATION: "installed",
    VisitPurpose.REMOVAL: "recovered",
    VisitPurpose.MAINTENANCE: "done",
    VisitPurpose.RENEWAL: "done",
    VisitPurpose.FOLLOW_UP_VISIT: "done",
}
"""The event by which the work of a visit ends the duty for which it was made."""


class VisitState(StrEnum):
    """What became of a visit so far."""

    SCHEDULED = "scheduled"
    ARRIVED = "arrived"
    DONE = "done"
    ABSENT = "absent"
    """The technician was there, and no person of the home was."""
    CANCELLED = "cancelled"


class HomeVisit(NamedTuple):
    """A visit. Times are microseconds UTC."""

    standing: Standing
    base: str
    technician: str
    """Code of the technician; empty if none is named yet."""
    purpose: VisitPurpose
    minutes: int
    """Time of the technician, with the journey."""
    begin_us: int
    end_us: int
    """Begin and end of the interval in which the technician is expected, as it was promised last."""
    duties: tuple[int, ...]
    """Numbers of the duties for which it is made."""
    state: VisitState

    @property
    def id(self) -> int:
        """Its number, which is that of its duty."""
        return self.standing.duty.id

    @property
    def home(self) -> str:
        """Code of the home."""
        return self.standing.duty.subject

    @property
    def takes_time(self) -> bool:
        """Return True if it takes a technician's time: it is still to be made, or it was made."""
        return self.state is not VisitState.CANCELLED


def visit_of(standing: Standing) -> HomeVisit:
    """Return the visit that a duty of kind ``visit`` is."""
    duty = standing.duty
    details = details_of(duty)
    promise = next(event.told for event in reversed(duty.events) if event.told.end_us is not None)
    end_us = promise.end_us or 0
    purpose, minutes = details.get("purpose", ""), details.get("minutes", "")
    return HomeVisit(
        standing=standing,
        base=details.get("base", ""),
        technician=details.get("team", ""),
        purpose=VisitPurpose(purpose) if purpose in set(VisitPurpose) else VisitPurpose.OTHER,
        minutes=int(minutes) if minutes.isdecimal() else 0,
        begin_us=end_us if promise.begin_us is None else promise.begin_us,
        end_us=end_us,
        duties=tuple(int(number) for number in details.get("for", "").split() if number.isdecimal()),
        state=_state(duty),
    )


def details_of(duty: Duty) -> dict[str, str]:
    """Return the details of all events of a duty; a later event overrules an earlier one."""
    found: dict[str, str] = {}
    for event in duty.events:
        found |= event.told.detail
    return found


def _state(duty: Duty) -> VisitState:
    """Return the last state that an event names. A visit that was called off stays so."""
    names = {event.told.event for event in duty.events}
    for state in (VisitState.CANCELLED, VisitState.DONE, VisitState.ABSENT, VisitState.ARRIVED):
        if state.value in names:
            return state
    return VisitState.SCHEDULED
