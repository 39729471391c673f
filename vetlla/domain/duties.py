"""Values of a duty: what the service owes to a home, a person or the city, and the events of which it is made.

Only events are stored. The duties of a subject, their state, clock and verdict follow from its events
(``vetlla.service.duties``), so that no second record can disagree with them. Times are microseconds UTC.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class DutyVerdict(StrEnum):
    """What the clock of a duty says."""

    OPEN = "open"
    """Its clock runs or is stopped, and nothing is decided."""
    KEPT = "kept"
    BREACHED = "breached"
    """Its end came too late, or did not come and its clock has run out."""
    CANCELLED = "cancelled"
    """It was called off before its clock ran out."""


class NewEvent(NamedTuple):
    """An event of a duty as a person or a file tells it."""

    kind: str
    subject: str
    """Code of what it is about: a home, a person, a device as TYPE:SERIAL, a document."""
    event: str
    at_us: int
    ref: str = ""
    """Reference in the system that the event comes from, such as a number of a complaint; empty if it has none."""
    by: str = ""
    note: str = ""
    begin_us: int | None = None
    end_us: int | None = None
    """Begin and end of the time that an event promises; both included."""
    details: str = ""
    """JSON object of texts with what else the event says, such as base and technician; empty if it says nothing."""
    duty: int = 0
    """The duty, if the writer named it; 0 if the event finds its duty by reference or by time."""
    withdraws: int = 0
    """Number of an event that was recorded in error, and which this one takes back; 0 otherwise."""

    @property
    def detail(self) -> dict[str, str]:
        """What the details say, by name."""
        return json.loads(self.details) if self.details else {}


class DutyEvent(NamedTuple):
    """A recorded event; it never changes."""

    id: int
    told: NewEvent
    source: str
    """Where it was recorded: a command, or the name of an imported file."""
    recorded_us: int


class Impossible(NamedTuple):
    """A recorded event that was not possible at its time: it contradicts the others of its duty."""

    event: DutyEvent
    reason: str
    because: DutyEvent | None = None
    """The event that stands in the way, if it is one alone."""


class Duty(NamedTuple):
    """A duty as its events make it. ``id`` is the number of the event that opened it."""

    id: int
    kind: str
    subject: str
    events: tuple[DutyEvent, ...]
    """In order of time, without those that were withdrawn."""

    @property
    def opened_us(self) -> int:
        """When it was opened."""
        return self.events[0].told.at_us

    @property
    def ref(self) -> str:
        """The reference of its opening."""
        return self.events[0].told.ref


def standing_events(events: Iterable[DutyEvent]) -> list[DutyEvent]:
    """Return the events that were not withdrawn, without the withdrawals; a withdrawal may be withdrawn, too."""
    found = list(events)
    withdrawals = [event for event in found if event.told.withdraws]
    if not withdrawals:
        return found
    gone = withdrawn_numbers(withdrawals)
    return [event for event in found if event.id not in gone and not event.told.withdraws]


def withdrawn_numbers(events: Iterable[DutyEvent]) -> set[int]:
    """Return the numbers of the events and of the withdrawals that others of these events take back."""
    gone: set[int] = set()
    for one in sorted(events, key=lambda event: -event.id):  # the latest first: it may take back an earlier one
        if one.told.withdraws and one.id not in gone:
            gone.add(one.told.withdraws)
    return gone
