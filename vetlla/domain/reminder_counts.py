"""Counts of the reminder service, as the store makes them and the rules of the report add them up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """Whole days of the city's calendar, and the office that is looked at."""

    first: date
    last: date
    """The last day, which belongs to the period."""
    begin: datetime
    """UTC."""
    end: datetime
    """The first moment after the period, UTC."""
    office: str = ""
    """"" for all offices."""


class Fate(StrEnum):
    """What became of a message."""

    READ = "read"
    """Delivered, and the citizen opened it."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """The provider took it, and reported later that it was not delivered."""
    NO_REPORT = "no_report"
    """The provider took it, and no report of its delivery came in time."""
    PENDING = "pending"
    """The provider took it, and its report may still come."""
    REFUSED = "refused"
    """The provider did not take it."""
    UNKNOWN = "unknown"
    """The provider did not answer, and no report came."""
    SUPPRESSED = "suppressed"
    """It was decided that it must not be sent."""
    EXPIRED = "expired"
    """It was of no use any more before it could be sent."""
    WAITING = "waiting"
    """It is not sent yet."""


ARRIVED: Final = frozenset({Fate.READ, Fate.DELIVERED})
TAKEN: Final = ARRIVED | {Fate.FAILED, Fate.NO_REPORT, Fate.PENDING}
"""The provider took the message: this is a message used."""
HANDED_OVER: Final = TAKEN | {Fate.REFUSED, Fate.UNKNOWN}
"""The provider was asked to send it."""


class MessageCount(NamedTuple):
    """How many messages are alike."""

    kind: str
    channel: str
    """"" if it was never handed over."""
    template: str
    language: str
    day: date
    """Of its sending; if it was not sent, the day on which it was due."""
    fate: Fate
    reason: str
    """Why it was not sent; "" for others."""
    code: str
    """The provider's code of a failure."""
    category: str
    """In which WhatsApp bills it; "" if no report told that."""
    is_billable: bool | None
    messages: int
    segments: int
    opened: int
    """How many opened a conversation that the city started."""


class FallbackCount(NamedTuple):
    """How many messages followed an attempt that did not arrive."""

    before: str
    """Channel of the attempt before."""
    channel: str
    why: str
    """A ``Fate`` of the attempt before."""
    code: str
    messages: int


class Presence(StrEnum):
    """What the source says about an appointment after its hour."""

    CAME = "came"
    NO_SHOW = "no_show"
    UNMARKED = "unmarked"
    """Its end has passed, and the source still has it as booked."""
    RESET = "reset"
    """The office closed the day without saying who came."""
    CANCELLED_BY_CITIZEN = "cancelled_by_citizen"
    """By a reply to the service."""
    CANCELLED_ELSEWHERE = "cancelled_elsewhere"
    """The source has it as cancelled, and no reply did it."""
    TO_COME = "to_come"
    OTHER = "other"
    """Only reserved, or a status that this version does not know."""


CANCELLED: Final = frozenset({Presence.CANCELLED_BY_CITIZEN, Presence.CANCELLED_ELSEWHERE})


class Reminding(StrEnum):
    """What the service did about an appointment's present hour."""

    HELD_BACK = "held_back"
    """Chosen at random to get no reminder."""
    REMINDED = "reminded"
    """A provider took a reminder and did not report a failure."""
    NOT_REACHED = "not_reached"
    """Reminders were handed over, and each failed or has an unknown outcome."""
    NOT_SENT = "not_sent"
    """A reminder was planned, and none was sent."""
    NONE = "none"
    """No reminder was ever planned."""


class AppointmentCount(NamedTuple):
    """How many appointments are alike."""

    office: str
    presence: Presence
    reminding: Reminding
    why: str
    """Why the last reminder was not sent; "" unless ``NOT_SENT``."""
    is_confirmed: bool
    is_drawn: bool
    """True if a reminder came as far as the draw: then chance alone decided whether it was held back."""
    appointments: int


class FreedPlace(NamedTuple):
    """A place that a cancellation freed."""

    presence: Presence
    before_us: int
    """Microseconds from the cancellation to the appointment's hour; below 0 after it."""


class ReplyCount(NamedTuple):
    """How many replies are alike."""

    channel: str
    kind: str
    outcome: str
    why: str
    """Why it came before a person; "" if it did not."""
    is_handled: bool
    is_open: bool
    """True if it waits for a person."""
    replies: int


class CancellationCount(NamedTuple):
    """How many cancellations by reply ended alike."""

    state: str
    cancellations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCounts:
    """All counts of a period."""

    period: ReportPeriod
    messages: tuple[MessageCount, ...] = ()
    fallbacks: tuple[FallbackCount, ...] = ()
    appointments: tuple[AppointmentCount, ...] = ()
    freed: tuple[FreedPlace, ...] = ()
    replies: tuple[ReplyCount, ...] = ()
    cancellations: tuple[CancellationCount, ...] = ()
