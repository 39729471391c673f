"""A message while it is in the outbox: its key, its plan, and its row as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.appointments import AppointmentKey
    from vetlla.domain.messages import Channel, Delivery, MessageKind, MessageState


class MessageReason(StrEnum):
    """Why a message is not sent now, or was not sent at all."""

    MOVED = "moved"
    """The appointment has another hour now."""
    CANCELLED = "cancelled"
    NOT_CANCELLED = "not_cancelled"
    """A notice says that the appointment is cancelled, and the source says that it is not."""
    NOT_EXPECTED = "not_expected"
    """The source gives a status in which citizens are not reminded: reserved, closed or unknown."""
    BEGUN = "begun"
    """The citizen has arrived."""
    PAST = "past"
    """The appointment's hour has passed."""
    TOO_LATE = "too_late"
    """The time in which the message is useful has ended."""
    QUIET_HOURS = "quiet_hours"
    CONFIRMED = "confirmed"
    """The citizen confirmed already, and this step is only for those who did not."""
    OPTED_OUT = "opted_out"
    PAUSED = "paused"
    """The office is paused."""
    DOUBTED = "doubted"
    """The last poll of the office lost too many appointments to be believed."""
    SOURCE_AWAY = "source_away"
    """The source did not answer, so that it is not known whether the appointment still exists."""
    NO_PHONE = "no_phone"
    LANDLINE = "landline"
    NO_CHANNEL = "no_channel"
    """No channel is left for this person: no consent, no SMS, or each was tried."""
    CHANNEL_CLOSED = "channel_closed"
    """The circuits of the channels that are left are open."""
    BUDGET = "budget"
    """The day's new conversations are used up, and appointments that are nearer come first."""
    RATE = "rate"
    """Too soon after the last message to this person, or too many in this second."""
    HELD_BACK = "held_back"
    """Chosen at random for the group that gets no reminder."""
    DELIVERED = "delivered"
    """An earlier attempt was delivered after all."""
    TEXT = "text"
    """There is no text for it, or a place of the text has no value."""
    NOT_TRIED = "not_tried"
    """The service stopped, or its claim ended, before it called the provider."""
    FAULT = "fault"
    """A fault of this program; its log has the stack."""
    ERASED = "erased"
    """The person's data were erased."""
    REFUSED = "refused"
    """The provider refused it; the message has the code."""
    UNKNOWN_OUTCOME = "unknown_outcome"
    """Nothing was heard of it in the time of grace."""
    NO_REPORT = "no_report"
    """The provider took it, and no report of its delivery came in the time in which it is useful."""
    RESTORED = "restored"
    """A backup was restored, and the message may have been sent after the backup was made."""


class MessageKey(NamedTuple):
    """Names a message for ever: two messages of one key are never sent."""

    appointment: AppointmentKey
    start: datetime
    """The hour that the message speaks of, UTC: after a move there is another key."""
    step: str
    """``24h``, ``moved-1``, ``cancelled``, ``answer-<id of the reply>``."""
    attempt: int = 1
    """2 and more: a fallback, or the same channel again after a report that it was not delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMessage:
    """A message to put into the outbox."""

    key: MessageKey
    kind: MessageKind
    office: str
    due: datetime
    useful_until: datetime
    """At this time it is of no use any more, and it is not sent."""
    phone: str = ""
    """E.164."""
    person: str = ""
    language: str = ""
    """"" lets the moment of sending decide."""
    channel: Channel | None = None
    """The only channel that it may use; None lets the moment of sending choose."""
    as_template: bool = True
    """False: a free message inside the window of 24 hours."""
    text: str = ""
    """The text of an answer; the text of a reminder is made at the moment of sending."""
    context: str = ""
    """The provider's id of the citizen's message that this one answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message of the outbox as it is stored."""

    id: int
    reference: str
    """Our id of this attempt, which providers return; it tells nothing."""
    plan: PlannedMessage
    state: MessageState
    planned_at: datetime
    reason: str = ""
    """A ``MessageReason``; "" while there is none."""
    code: str = ""
    """The provider's code of a failure."""
    tries: int = 0
    """Calls that were certainly not carried out."""
    fence: int = 0
    """Number of the claim. Only the dispatcher with this number may write about the message."""
    leased_until: datetime | None = None
    sent_by: Channel | None = None
    provider_id: str = ""
    sending_at: datetime | None = None
    """When ``sending`` was written; None proves that no provider was ever asked to send it."""
    accepted_at: datetime | None = None
    fallback_at: datetime | None = None
    """When another channel is tried if no delivery was reported until then."""


class OwnReport(NamedTuple):
    """A report of a delivery that belongs to one of our messages."""

    delivery: Delivery
    at: datetime
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a message came, from all reports together."""

    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    """Kept also if the message was delivered."""
    code: str = ""
    """The code of the first failure."""
    detail: str = ""
