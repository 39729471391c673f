"""What a poll of an office changes: appointments that are new, that moved, and that are cancelled.

An appointment that a poll does not have is not cancelled for that: a connection that breaks can bring an empty list.
It is only to be checked, and only after a complete poll. A poll that loses too many appointments changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import EXPECTED, Appointment, AppointmentKey, AppointmentStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

SUSPICIOUS_LOST: Final = 5
"""A poll may lose this many future appointments of an office, whatever their share."""
SUSPICIOUS_SHARE: Final = 0.3
"""A poll that loses more than this share of an office's future appointments, and more than ``SUSPICIOUS_LOST`` of them,
is not believed."""


class Moved(NamedTuple):
    """An appointment that has another hour."""

    before: Appointment
    now: Appointment


@dataclass(frozen=True, slots=True, kw_only=True)
class PollChanges:
    """What a poll changes."""

    created: tuple[Appointment, ...] = ()
    moved: tuple[Moved, ...] = ()
    cancelled: tuple[Appointment, ...] = ()
    """The source says that they are cancelled, and a citizen was expected."""
    updated: tuple[Appointment, ...] = ()
    """Something else about them is different."""
    to_check: tuple[AppointmentKey, ...] = ()
    """Future appointments that the poll does not have. Ask the source for each: ``absent`` reads the answer."""
    unknown: int = 0
    """Appointments with a status that this version does not know: their citizens get no message."""
    future: int = 0
    """Future appointments that were known before the poll, in its days."""
    lost: int = 0
    """How many of these the poll does not have, or has as cancelled."""
    is_suspicious: bool = False
    """True: nothing of the poll was believed, so that no message comes of it, and a person must look."""

    @property
    def to_put(self) -> tuple[Appointment, ...]:
        """Return all appointments that are to be written."""
        return (*self.created, *(one.now for one in self.moved), *self.cancelled, *self.updated)


def compare(
    known: Iterable[Appointment],
    found: Sequence[Appointment],
    now: datetime,
    *,
    is_complete: bool,
    faults: Sequence[str] = (),
    is_accepted: bool = False,
) -> PollChanges:
    """Return what a poll changes.

    ``known`` are the office's appointments in the days of the poll, and all others that ``found`` names. A poll with
    ``faults`` is not complete. ``is_accepted``: a person looked at a suspicious poll and says that it is right.
    """
    before = {one.key: one for one in known}
    present = {one.key for one in found}
    future = {key for key, one in before.items() if one.start > now and one.status in EXPECTED}
    absent = sorted(future - present)
    withdrawn = sum(one.key in future and one.status is AppointmentStatus.CANCELLED for one in found)
    lost = len(absent) + withdrawn
    unknown = sum(one.status is AppointmentStatus.UNKNOWN for one in found)
    if lost > SUSPICIOUS_LOST and lost > SUSPICIOUS_SHARE * len(future) and not is_accepted:
        return PollChanges(is_suspicious=True, future=len(future), lost=lost, unknown=unknown)
    created, moved, cancelled, updated = [], [], [], []
    for one in {one.key: one for one in found}.values():
        earlier = before.get(one.key)
        if earlier is None:
            created.append(one)
        elif one == earlier:
            continue
        elif one.status is AppointmentStatus.CANCELLED and earlier.status in EXPECTED:
            cancelled.append(replace(one, phone=one.phone or earlier.phone))  # some sources forget it with the place
        elif one.start != earlier.start and one.status in EXPECTED and earlier.status in EXPECTED:
            moved.append(Moved(earlier, one))
        else:
            updated.append(one)
    return PollChanges(
        created=tuple(created),
        moved=tuple(moved),
        cancelled=tuple(cancelled),
        updated=tuple(updated),
        to_check=tuple(absent) if is_complete and not faults else (),
        unknown=unknown,
        future=len(future),
        lost=lost,
    )


def absent(known: Appointment, answer: Appointment | None) -> PollChanges:
    """Return what the source's answer says about an appointment that a poll did not have.

    ``answer`` None: the source has it no longer. It can also have moved to a day that the poll did not ask for.
    """
    if answer is None:
        gone = replace(known, status=AppointmentStatus.CANCELLED, status_given="gone")
        return PollChanges(cancelled=(gone,), future=1, lost=1)
    return compare([known], [answer], known.start, is_complete=False)
