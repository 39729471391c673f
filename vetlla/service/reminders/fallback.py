"""What follows when a message was refused, was not delivered, or its outcome is unknown.

The channel's table of codes names the action; here it becomes the next attempt, with its time, and what else is to be
done. No attempt is due after the time in which the message is useful.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.failures import FailureAction
from vetlla.domain.messages import Channel, MessageKind
from vetlla.service.reminders.circuit import back_off, pair_wait

if TYPE_CHECKING:
    from vetlla.domain.outbox import PlannedMessage

GRACE: Final = timedelta(minutes=10)
"""How long a report may take that tells the outcome of a call without an answer."""
NO_WHATSAPP: Final = timedelta(days=30)
"""How long a person gets no WhatsApp after code 131026: it can also mean an old version of the program."""
TRIES: Final = 5
"""Most calls for one attempt, and most attempts of one step."""
PATIENCE: Final = timedelta(hours=4)
"""How long WhatsApp may take to deliver a reminder before it goes by SMS; less if it is of use for a shorter time."""
SHORTEST_PATIENCE: Final = timedelta(seconds=30)
"""Least lifetime of a utility template (Meta's Cloud API, ``message_send_ttl_seconds``)."""
LAST_CALL: Final = timedelta(minutes=15)
"""A message no longer waits for a better channel or a place in the budget, so long before the end of its use."""

_AT_LEAST_ONCE: Final = frozenset({MessageKind.MOVED, MessageKind.CANCELLED})
"""Kinds that are sent again if the outcome is unknown: a citizen who hears nothing goes for nothing."""
_BY_SMS_TOO: Final = _AT_LEAST_ONCE | {MessageKind.REMINDER}
"""Kinds that go by SMS if WhatsApp is silent. A lost answer is asked for again by its citizen."""

_SMS: Final = frozenset(
    {
        FailureAction.SMS,
        FailureAction.SMS_NO_WHATSAPP,
        FailureAction.SMS_ALERT,
        FailureAction.OPEN_CIRCUIT,
        FailureAction.STOP_CHANNEL,
        FailureAction.TEMPLATE_UNUSABLE,
    }
)
_ALERTS: Final = frozenset(
    {
        FailureAction.SMS_ALERT,
        FailureAction.OPEN_CIRCUIT,
        FailureAction.STOP_CHANNEL,
        FailureAction.TEMPLATE_UNUSABLE,
        FailureAction.CONFIGURATION,
        FailureAction.ALERT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What follows from a failure."""

    same: datetime | None = None
    """When this attempt is tried again; only after a call that was certainly not carried out."""
    next: PlannedMessage | None = None
    """The next attempt of the step; None if there is none."""
    is_alert: bool = False
    """True if a person must look."""
    opens_circuit: bool = False
    stops_channel: bool = False
    template_unusable: bool = False
    no_whatsapp_until: datetime | None = None
    is_dead: bool = False
    """True if the number does not exist."""
    opts_out: bool = False
    """True if the person opted out of this channel at the provider."""


def after_refusal(
    message: PlannedMessage,
    channel: Channel,
    action: FailureAction,
    tries: int,
    now: datetime,
    *,
    retry_after: timedelta | None = None,
) -> Consequence:
    """Return what follows when the provider did not take a message, so that this attempt may be tried again.

    ``tries`` counts the calls before this one that were not carried out either.
    """
    wait = _wait(action, tries)
    if wait is not None:
        due = now + max(wait, retry_after or timedelta(0))
        end = message.useful_until - LAST_CALL if _has_sms(message, channel) else message.useful_until
        if tries + 1 < TRIES and due < end:
            return Consequence(same=due)
        return Consequence(next=_by_sms(message, channel, now), is_alert=not _has_sms(message, channel))
    return _consequence(message, channel, action, now)


def after_failure(message: PlannedMessage, channel: Channel, action: FailureAction, now: datetime) -> Consequence:
    """Return what follows when a message that the provider took was reported as failed."""
    wait = _wait(action, message.key.attempt - 1)
    if wait is not None:
        due = now + wait
        if message.key.attempt < TRIES and due < message.useful_until - LAST_CALL:
            return Consequence(next=_next(message, None, due))
        return Consequence(next=_by_sms(message, channel, now), is_alert=not _has_sms(message, channel))
    return _consequence(message, channel, action, now)


def after_unknown(message: PlannedMessage, channel: Channel, now: datetime) -> Consequence:
    """Return what follows when nothing was heard of a call in the time of grace.

    A reminder is never sent again on the same channel; it may come by SMS in addition. A notice that an appointment was
    moved or cancelled is sent until a provider takes it.
    """
    if channel is Channel.WHATSAPP:
        return Consequence(next=_by_sms(message, channel, now) if message.kind in _BY_SMS_TOO else None)
    if message.kind in _AT_LEAST_ONCE:
        return Consequence(next=_next(message, channel, now), is_alert=message.key.attempt >= TRIES)
    return Consequence(is_alert=True)


def after_silence(message: PlannedMessage, channel: Channel, now: datetime) -> Consequence:
    """Return what follows when the provider took a message and no report says that it was delivered in time."""
    if channel is Channel.WHATSAPP and message.kind in _BY_SMS_TOO:
        return Consequence(next=_by_sms(message, channel, now))
    return Consequence()


def fallback_at(message: PlannedMessage, channel: Channel, now: datetime) -> datetime:
    """Return until when a message should be delivered: then it goes by SMS, and WhatsApp must no longer deliver it."""
    if not _has_sms(message, channel) or message.kind not in _BY_SMS_TOO:
        return message.useful_until
    return now + max(min(PATIENCE, (message.useful_until - now) / 2), SHORTEST_PATIENCE)


def _consequence(message: PlannedMessage, channel: Channel, action: FailureAction, now: datetime) -> Consequence:
    following = None
    if action in _SMS or (action in {FailureAction.TEMPLATE, FailureAction.TO_PHONE} and channel is Channel.SMS):
        following = _by_sms(message, channel, now)
    elif action is FailureAction.TEMPLATE:
        # A template is another message for WhatsApp; refused as a template, it goes by SMS.
        following = _by_sms(message, channel, now)
        if not message.as_template and (again := _next(message, None, now)):
            following = replace(again, as_template=True)
    elif action is FailureAction.TO_PHONE:
        following = _by_sms(message, channel, now)
        if message.person and message.phone and (again := _next(message, None, now)):
            following = replace(again, person="")
    return Consequence(
        next=following,
        is_alert=action in _ALERTS,
        opens_circuit=action is FailureAction.OPEN_CIRCUIT,
        stops_channel=action is FailureAction.STOP_CHANNEL,
        template_unusable=action is FailureAction.TEMPLATE_UNUSABLE,
        no_whatsapp_until=now + NO_WHATSAPP if action is FailureAction.SMS_NO_WHATSAPP else None,
        is_dead=action is FailureAction.DEAD_NUMBER,
        opts_out=action is FailureAction.OPTED_OUT,
    )


def _wait(action: FailureAction, tries: int) -> timedelta | None:
    if action is FailureAction.BACK_OFF:
        return back_off(tries)
    return pair_wait(tries) if action is FailureAction.PAIR_WAIT else None


def _has_sms(message: PlannedMessage, channel: Channel) -> bool:
    return channel is Channel.WHATSAPP and bool(message.phone)


def _next(message: PlannedMessage, channel: Channel | None, due: datetime) -> PlannedMessage | None:
    """Return the next attempt, on a channel or the best one; None if it comes too late, or there were too many."""
    if due >= message.useful_until or message.key.attempt >= TRIES:
        return None
    key = message.key._replace(attempt=message.key.attempt + 1)
    return replace(message, key=key, channel=channel, due=due)


def _by_sms(message: PlannedMessage, channel: Channel, now: datetime) -> PlannedMessage | None:
    return _next(message, Channel.SMS, now) if _has_sms(message, channel) else None
