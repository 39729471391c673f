"""What a source of appointments and a channel of messages must do, and how they fail.

A call to another system ends in one of three ways: it is done, it is certainly not done, or its outcome is unknown. The
caller must know which, because a second call after an unknown outcome can send a message or cancel a slot twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from vetlla.domain.errors import LinkError

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.domain.messages import Accepted, Channel, Outgoing


class RefusedError(LinkError):
    """The other system refused the call, so that it was certainly not carried out. ``code`` is its own code."""

    def __init__(self, message: str, *, code: str = "", remedy: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        self.retry_after_s = retry_after_s


class NotTriedError(LinkError):
    """This program did not call the other system, so that nothing is known about that system."""


class OutcomeUnknownError(LinkError):
    """The call was written and no answer came, so that it may have been carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """All appointments of one office in some days."""

    office: str
    first: date
    last: date
    appointments: tuple[Appointment, ...]
    faults: tuple[str, ...] = ()
    """What could not be read, without personal data. A poll with faults is not complete."""
    is_complete: bool = field(default=True)
    """False if the source said that there are more; then absence means nothing."""


class CancelOutcome(StrEnum):
    """What a cancellation came to."""

    DONE = "done"
    GONE = "gone"
    """The source has no such appointment, or it is cancelled already."""


class AppointmentSource(Protocol):
    """A system that keeps appointments."""

    name: str

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of an office from ``first`` to ``last``. Raises LinkError."""
        ...

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment as it is now; None if the source has it no longer. Raises LinkError."""
        ...

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment. Raises RefusedError, OutcomeUnknownError, or LinkError if nothing was sent."""
        ...


class MessageGateway(Protocol):
    """A provider that sends messages."""

    name: str
    channel: Channel

    async def send(self, message: Outgoing) -> Accepted:
        """Hand a message over. Raises RefusedError, OutcomeUnknownError, or LinkError if nothing was sent."""
        ...
