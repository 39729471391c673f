"""A message to a citizen, and its life from plan to delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class Channel(StrEnum):
    """How a message travels."""

    WHATSAPP = "whatsapp"
    SMS = "sms"


class MessageKind(StrEnum):
    """What a message is for."""

    REMINDER = "reminder"
    MOVED = "moved"
    """The office moved the appointment to another hour."""
    CANCELLED = "cancelled"
    """The office cancelled the appointment."""
    INFORMATION = "information"
    """Documents to bring, how to do it online, where to find help."""
    ANSWER = "answer"
    """An answer to a citizen's reply."""


class MessageState(StrEnum):
    """The life of a message in the outbox (facts/reminders.md 2.8)."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    """A dispatcher has it, until its lease ends."""
    SENDING = "sending"
    """Written before the call: after a crash it is not known whether the provider took it."""
    ACCEPTED = "accepted"
    """The provider gave it an id."""
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The provider's answer did not arrive."""
    EXPIRED = "expired"
    """The time in which it is useful ended before it could be sent or was delivered."""
    SUPPRESSED = "suppressed"
    """It was decided at the moment of sending that it must not be sent; the reason is kept."""


ENDED: Final = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.READ,
        MessageState.FAILED,
        MessageState.EXPIRED,
        MessageState.SUPPRESSED,
    }
)
"""States after which the outbox does nothing more by itself."""


class Delivery(StrEnum):
    """What a provider says about a message that it accepted, in the order of progress."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as a gateway sends it. A gateway uses what its channel has a place for."""

    reference: str
    """Our id of this attempt; the provider returns it where its protocol can."""
    phone: str
    """E.164; "" if only ``person`` is known."""
    person: str = ""
    """WhatsApp's id of the person (BSUID), for people whose number WhatsApp hides."""
    text: str = ""
    """The whole text; all that an SMS or a free message has."""
    template: str = ""
    """WhatsApp: name of the approved template; "" for a free message inside the window of 24 hours."""
    language: str = "ca"
    parameters: tuple[str, ...] = ()
    """WhatsApp: the values of the template's body, in its order."""
    buttons: tuple[str, ...] = ()
    """WhatsApp: the payload of each quick-reply button, in the template's order."""
    context: str = ""
    """The provider's id of the message that this one answers."""
    useful_s: int = 0
    """Seconds after which the provider must no longer deliver it; 0 for no limit."""


class Accepted(NamedTuple):
    """The provider took a message."""

    provider_id: str
    held: bool = False
    """True if the provider keeps it back to look at its quality."""
    person: str = ""
    """The provider's id of the person, if it tells one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What a provider reports about a message. Reports come in any order, and several times."""

    provider_id: str
    delivery: Delivery
    at: datetime
    reference: str = ""
    """Our id, if the provider returns it."""
    code: str = ""
    """The provider's code of a failure."""
    detail: str = ""
    phone: str = ""
    person: str = ""
    category: str = ""
    """WhatsApp: the category that the message is billed in."""
    is_billable: bool | None = None


class ReplyKind(StrEnum):
    """What a citizen sent."""

    TEXT = "text"
    BUTTON = "button"
    REACTION = "reaction"
    OTHER = "other"
    """A voice message, a picture, a place: nothing that can be read as a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingReply:
    """A message of a citizen."""

    provider_id: str
    channel: Channel
    at: datetime
    kind: ReplyKind = ReplyKind.TEXT
    phone: str = ""
    """E.164; "" if the provider hides it."""
    person: str = ""
    text: str = ""
    payload: str = ""
    """The payload of the button that was pressed: ours, signed."""
    context: str = ""
    """The provider's id of the message that the citizen answered."""


class NumberChanged(NamedTuple):
    """A citizen has another number now."""

    before: str
    now: str
    at: datetime
