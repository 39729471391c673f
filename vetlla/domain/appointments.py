"""An appointment that a person is reminded of, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class AppointmentStatus(StrEnum):
    """Where an appointment stands. The numbers are those of Qmatic Orchestra's calendar."""

    CREATED = "created"
    """20."""
    RESCHEDULED = "rescheduled"
    """21."""
    RESERVED = "reserved"
    """A slot that is held and not yet booked."""
    ARRIVED = "arrived"
    """30."""
    CALLED = "called"
    """40."""
    COMPLETE = "complete"
    """50."""
    NO_SHOW = "no_show"
    """51."""
    ENDED_BY_RESET = "ended_by_reset"
    """52: the office closed the day."""
    CANCELLED = "cancelled"
    """53."""
    UNKNOWN = "unknown"
    """A code that this version does not know. Its appointment is shown, and its citizen is not reminded."""


EXPECTED: Final = frozenset({AppointmentStatus.CREATED, AppointmentStatus.RESCHEDULED})
"""The citizen is still to come; only these are reminded of."""
BEGUN: Final = frozenset({AppointmentStatus.ARRIVED, AppointmentStatus.CALLED, AppointmentStatus.COMPLETE})
"""The citizen came; a cancellation is too late."""


class AppointmentKey(NamedTuple):
    """Names an appointment for ever; a move to another hour keeps it."""

    source: str
    """Name of the source in the settings."""
    id: str
    """The source's own name: a ``publicId``, or ``branch/number``."""


class BookedService(NamedTuple):
    """The procedure that an appointment is for."""

    id: str
    name: str
    may_cancel: bool = True
    """False if the office allows no cancellation of this procedure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One appointment as its source described it last."""

    key: AppointmentKey
    office: str
    """The source's id of the office (branch)."""
    start: datetime
    """UTC."""
    end: datetime
    """UTC; the same as ``start`` if the source names no end."""
    zone: str
    """IANA name of the office's time zone, in which the hour is shown."""
    status: AppointmentStatus
    status_given: str = ""
    """The status as the source wrote it."""
    services: tuple[BookedService, ...] = ()
    phone: str = ""
    """E.164 (``+34600000001``); "" if the source has no number that can be one."""
    phone_given: str = ""
    """The number as the source wrote it."""
    language: str | None = None
    """``ca`` or ``es`` if the source knows the citizen's language."""
    consented_at: datetime | None = None
    """When the citizen agreed to messages, if the source keeps it; UTC."""
    updated_at: datetime | None = None
    """UTC."""
