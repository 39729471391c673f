"""The decision at the moment of sending, from what the source says at this moment.

What was planned an hour ago may be wrong now: the appointment moved, the citizen cancelled, the office closed. So a
message is sent only if everything that speaks against it was looked at just before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.appointments import BEGUN, EXPECTED, Appointment, AppointmentStatus
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.outbox import MessageReason, PlannedMessage
from vetlla.domain.telephones import gets_messages
from vetlla.service.reminders.fallback import LAST_CALL
from vetlla.service.reminders.quiet import CITY_ZONE
from vetlla.service.reminders.steps import rule_of_step

if TYPE_CHECKING:
    from vetlla.service.reminders.steps import StepRules

AGAIN: Final = timedelta(minutes=5)
"""A message that cannot be decided yet (source away, office paused, poll doubted) is looked at again after this."""


BUDGET_PATIENCE: Final = timedelta(hours=2)
"""So long after it was due a message waits for a place in the budget, if another channel is left."""


class Away(Enum):
    """The source did not answer, so that nothing is known of the appointment."""

    AWAY = "away"


Fresh: TypeAlias = Appointment | Away | None
"""What the source says now; None: it has the appointment no longer."""


class Send(NamedTuple):
    """Send it by this channel."""

    channel: Channel


class Suppress(NamedTuple):
    """Do not send it, neither now nor later."""

    reason: MessageReason


class Reschedule(NamedTuple):
    """Look at it again at this time."""

    at: datetime
    reason: MessageReason


Decision: TypeAlias = Send | Suppress | Reschedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the city decided about channels and people."""

    whatsapp_needs_consent: bool = True
    """True: no WhatsApp without the citizen's consent, as WhatsApp's business policy demands."""
    channels: tuple[Channel, ...] = (Channel.WHATSAPP, Channel.SMS)
    """The channels in use, the preferred one first."""
    cancellation_despite_opt_out: bool = True
    """True: a citizen who opted out still hears that the office cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the store knows at the moment of sending."""

    phone: str = ""
    """E.164, as the source has it now; "" if there is none."""
    person: str = ""
    """WhatsApp's id of the person, if it is known."""
    zone: str = CITY_ZONE
    """The office's time zone, also if the source has the appointment no longer."""
    opted_out: frozenset[Channel] = frozenset()
    is_confirmed: bool = False
    is_cancelling: bool = False
    """True if the citizen wants this hour cancelled and the source has not answered yet."""
    is_delivered: bool = False
    """True if an earlier attempt of this step was delivered."""
    is_held_back: bool = False
    has_consent: bool = False
    no_whatsapp_until: datetime | None = None
    is_dead: bool = False
    """True if a provider says that the number does not exist."""
    paused: bool = False
    paused_until: datetime | None = None
    """None: no person said when the pause ends."""
    doubted: bool = False
    """True if the last poll of the office lost too many appointments to be believed."""
    closed: frozenset[Channel] = frozenset()
    """Channels whose circuit is open."""
    has_budget: bool = True
    """False if this message would open a conversation that the day's budget has no place for."""
    wait_until: dict[Channel, datetime] = field(default_factory=dict)
    """When a channel may send to this person, or at all, again."""


def decide(
    message: PlannedMessage, fresh: Fresh, here: Circumstances, now: datetime, *, rules: StepRules, policy: Policy
) -> Decision:
    """Return what to do with a message now.

    What changed about the appointment comes first, then what the citizen and the office want, then the channel.
    """
    if now >= message.useful_until:
        return Suppress(MessageReason.TOO_LATE)
    if here.is_delivered:
        return Suppress(MessageReason.DELIVERED)
    against: Decision | None = None
    if message.kind is not MessageKind.ANSWER:
        against = _against(message, fresh, here, now, rules)
    return against or _channel(message, here, policy, now)


def _later(message: PlannedMessage, at: datetime, reason: MessageReason) -> Decision:
    """Return another look at this time, or just when the message's use ends."""
    return Reschedule(min(at, message.useful_until), reason)


def _against(
    message: PlannedMessage, fresh: Fresh, here: Circumstances, now: datetime, rules: StepRules
) -> Decision | None:
    """Return what speaks against a message about an appointment; None if nothing does."""
    if isinstance(fresh, Away):
        return _later(message, now + AGAIN, MessageReason.SOURCE_AWAY)
    reason = _changed(message, fresh, here, now) or _unwanted(message, here, rules)
    if reason is not None:
        return Suppress(reason)
    if here.paused:
        return _later(message, max(here.paused_until or now + AGAIN, now + AGAIN), MessageReason.PAUSED)
    if here.doubted and now + AGAIN < message.useful_until:
        # The fresh answer vouches for this appointment, so it goes out in the end; before that a person may look.
        return Reschedule(now + AGAIN, MessageReason.DOUBTED)
    return _quiet(message, here.zone, rules, now)


def _changed(
    message: PlannedMessage, fresh: Appointment | None, here: Circumstances, now: datetime
) -> MessageReason | None:
    """Return how the appointment is no longer what the message says; None if it is."""
    is_there = fresh is not None and fresh.status is not AppointmentStatus.CANCELLED
    is_past = MessageReason.PAST if message.key.start <= now else None
    if message.kind is MessageKind.CANCELLED:
        return MessageReason.NOT_CANCELLED if is_there else is_past
    if fresh is None or not is_there or here.is_cancelling:
        return MessageReason.CANCELLED
    if fresh.status not in EXPECTED:
        return MessageReason.BEGUN if fresh.status in BEGUN else MessageReason.NOT_EXPECTED
    return MessageReason.MOVED if fresh.start != message.key.start else is_past


def _unwanted(message: PlannedMessage, here: Circumstances, rules: StepRules) -> MessageReason | None:
    """Return why this citizen gets no reminder; None if the citizen does."""
    if message.kind not in {MessageKind.REMINDER, MessageKind.INFORMATION}:
        return None
    if here.is_held_back:
        return MessageReason.HELD_BACK
    step = rule_of_step(rules, message.key.step)
    return MessageReason.CONFIRMED if here.is_confirmed and step is not None and step.only_unconfirmed else None


def _quiet(message: PlannedMessage, zone: str, rules: StepRules, now: datetime) -> Decision | None:
    """Return the morning after, if the hours are quiet and the message is then still of use."""
    if not rules.quiet.is_quiet(now, zone):
        return None
    morning = rules.quiet.after(now, zone)
    if morning < message.useful_until:
        return Reschedule(morning, MessageReason.QUIET_HOURS)
    # A reminder before breakfast is of no use; that the place is gone or moved must be known before leaving home.
    is_notice = message.kind in {MessageKind.MOVED, MessageKind.CANCELLED}
    return None if is_notice else Suppress(MessageReason.QUIET_HOURS)


# --- the channel ------------------------------------------------------------------------------------------------------


def _channel(message: PlannedMessage, here: Circumstances, policy: Policy, now: datetime) -> Decision:
    """Return the channel that the message uses now, or why it uses none."""
    left = _channels_left(message, here, policy, now)
    if isinstance(left, MessageReason):
        return Suppress(left)
    is_last_call = now + LAST_CALL >= message.useful_until
    waits: list[Reschedule] = []
    for channel in left:
        wait = _wait(channel, message, here, now)
        if wait is None:
            return Send(channel)
        waits.append(wait)
        is_worth_it = wait.reason is MessageReason.RATE or (
            wait.reason is MessageReason.BUDGET and now < message.due + BUDGET_PATIENCE
        )
        if is_worth_it and not is_last_call:
            break  # the next channel is only for a wait that would be too long
    first = min(waits, key=lambda one: one.at)
    return _later(message, first.at, first.reason)


def _channels_left(
    message: PlannedMessage, here: Circumstances, policy: Policy, now: datetime
) -> list[Channel] | MessageReason:
    """Return the channels that reach this person, the preferred one first; or why none does."""
    if not here.phone and not (here.person and message.kind is MessageKind.ANSWER):
        return MessageReason.NO_PHONE
    if here.phone and (here.is_dead or not gets_messages(here.phone)):
        return MessageReason.LANDLINE
    wanted = [channel for channel in policy.channels if message.channel in {None, channel}]
    is_cancelled = message.kind is MessageKind.CANCELLED
    despite = message.kind is MessageKind.ANSWER or (is_cancelled and policy.cancellation_despite_opt_out)
    left = [channel for channel in wanted if despite or channel not in here.opted_out]
    if wanted and not left:
        return MessageReason.OPTED_OUT
    return [channel for channel in left if _reaches(channel, message, here, policy, now)] or MessageReason.NO_CHANNEL


def _reaches(channel: Channel, message: PlannedMessage, here: Circumstances, policy: Policy, now: datetime) -> bool:
    """Return False if this channel cannot be used for this person and this message."""
    if channel is Channel.SMS:
        return bool(here.phone)
    is_answer = message.kind is MessageKind.ANSWER and message.channel is channel  # the citizen wrote by WhatsApp
    if policy.whatsapp_needs_consent and not here.has_consent and not is_answer:
        return False
    return is_answer or here.no_whatsapp_until is None or here.no_whatsapp_until <= now


def _wait(channel: Channel, message: PlannedMessage, here: Circumstances, now: datetime) -> Reschedule | None:
    """Return until when this channel has to wait; None if it need not."""
    if channel in here.closed:
        return Reschedule(now + AGAIN, MessageReason.CHANNEL_CLOSED)
    until = here.wait_until.get(channel)
    if until is not None and until > now:
        return Reschedule(until, MessageReason.RATE)
    if channel is Channel.WHATSAPP and message.as_template and not here.has_budget:
        return Reschedule(now + AGAIN, MessageReason.BUDGET)
    return None
