"""Whether an appointment that a citizen cancels may be cancelled at its source now.

A wrong cancellation throws a place away, so the answer comes from a fresh look at the source, and only for the hour
that the citizen meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.domain.appointments import BEGUN, EXPECTED, AppointmentStatus
from vetlla.service.reminders.decision import Away

if TYPE_CHECKING:
    from vetlla.service.reminders.decision import Fresh

AGAIN: Final = timedelta(minutes=1)
"""Wait before another attempt, if the source does not answer; it doubles each time."""
AGAIN_LONGEST: Final = timedelta(minutes=15)


class CancelStep(StrEnum):
    """What to do with a wanted cancellation."""

    CALL = "call"
    """Cancel it now."""
    GONE = "gone"
    """It is cancelled already."""
    BEGUN = "begun"
    """The citizen is there, or was."""
    MOVED = "moved"
    """It has another hour now: ask the citizen again, with this hour."""
    LATE = "late"
    """It is too close to the appointment, or past."""
    REFUSED = "refused"
    """The office allows no cancellation of this procedure."""
    WAIT = "wait"
    """The source does not answer: try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRules:
    """What the office allows."""

    cutoff: timedelta = timedelta(0)
    """So long before the appointment it is too late."""
    allows_late: bool = False
    """True: a cancellation after the cut-off is still carried out, until the appointment begins."""


def cancel_step(fresh: Fresh, start: datetime, rules: CancelRules, now: datetime) -> CancelStep:
    """Return what to do with a cancellation of this hour, from what the source says now."""
    if isinstance(fresh, Away):
        return CancelStep.WAIT if now < start else CancelStep.LATE
    if fresh is None or fresh.status is AppointmentStatus.CANCELLED:
        return CancelStep.GONE
    limit = start if rules.allows_late else start - rules.cutoff
    found = (
        (CancelStep.BEGUN, fresh.status in BEGUN),
        (CancelStep.REFUSED, fresh.status not in EXPECTED),
        (CancelStep.MOVED, fresh.start != start),
        (CancelStep.LATE, now >= limit),
        (CancelStep.REFUSED, not all(service.may_cancel for service in fresh.services)),
    )
    return next((step for step, applies in found if applies), CancelStep.CALL)


def next_try(tries: int, now: datetime) -> datetime:
    """Return when to try again after the source did not answer."""
    return now + min(AGAIN * 2.0 ** min(tries, 10), AGAIN_LONGEST)
