"""Whether an appointment may be cancelled now, decided from what its source says at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.domain.appointments import BEGUN, EXPECTED, AppointmentStatus

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.appointments import Appointment


class CancelStep(StrEnum):
    """What to do about a citizen's cancellation."""

    CANCEL = "cancel"
    CANCEL_LATE = "cancel_late"
    """It is after the cut-off, and the office still takes it."""
    ALREADY = "already"
    """The source has the appointment no longer, or cancelled it."""
    BEGUN = "begun"
    """The citizen has arrived, or was called."""
    TOO_LATE = "too_late"
    ENDED = "ended"
    """The appointment is over; nothing is asked of the source."""
    MOVED = "moved"
    """The office moved it since the citizen was asked. The citizen is asked again, with the new hour."""
    NOT_ALLOWED = "not_allowed"
    """The office allows no cancellation of this procedure by message."""
    UNCLEAR = "unclear"
    """The source has a status that this version does not know. A person decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPolicy:
    """An office's rules for cancellations."""

    cutoff: timedelta = timedelta()
    """Time before the start from which a cancellation is late."""
    takes_late: bool = True
    """True if a late cancellation, before the start, is still carried out."""


def step_of(fresh: Appointment | None, told_start: datetime, now: datetime, policy: CancelPolicy) -> CancelStep:
    """Return what to do, from the appointment as the source has it now (None if it has it no longer).

    ``told_start`` is the hour in the message that the citizen answered.
    """
    if fresh is None:
        return CancelStep.ALREADY
    if fresh.status not in EXPECTED:
        return _BY_STATUS.get(fresh.status, CancelStep.ENDED)
    if now >= max(fresh.end, fresh.start):
        return CancelStep.ENDED
    if fresh.start != told_start:
        return CancelStep.MOVED
    if not all(service.may_cancel for service in fresh.services):
        return CancelStep.NOT_ALLOWED
    return _by_hour(fresh.start, now, policy)


_BY_STATUS: Final = {
    AppointmentStatus.CANCELLED: CancelStep.ALREADY,
    AppointmentStatus.UNKNOWN: CancelStep.UNCLEAR,
    AppointmentStatus.RESERVED: CancelStep.UNCLEAR,
    **dict.fromkeys(BEGUN, CancelStep.BEGUN),
}


def _by_hour(start: datetime, now: datetime, policy: CancelPolicy) -> CancelStep:
    if now <= start - policy.cutoff:
        return CancelStep.CANCEL
    return CancelStep.CANCEL_LATE if policy.takes_late and now < start else CancelStep.TOO_LATE
