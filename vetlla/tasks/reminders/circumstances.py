"""Collects what the store knows about a message at the moment of sending, for the decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import Appointment
from vetlla.domain.messages import Channel, MessageKind, MessageState
from vetlla.service.reminders.arms import is_held_back
from vetlla.service.reminders.budget import PAIR_GAP, pair_until
from vetlla.service.reminders.circuit import Circuit
from vetlla.service.reminders.conversations import is_opening
from vetlla.service.reminders.decision import Circumstances
from vetlla.service.reminders.quiet import CITY_ZONE
from vetlla.store.reminders import appointments, cancellations, channels, citizens, messages, offices
from vetlla.store.reminders.cancellations import CancellationState

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.domain.outbox import OutboxMessage, PlannedMessage
    from vetlla.service.reminders.decision import Fresh
    from vetlla.store.reminders.citizens import Citizen
    from vetlla.tasks.reminders.rules import SendRules

CANCELS: Final = frozenset(CancellationState) - {
    CancellationState.REFUSED,
    CancellationState.MOVED,
    CancellationState.LATE,
}
"""States in which the citizen's own cancellation stands: no reminder any more, and no notice by the office."""
_TOLD: Final = frozenset({MessageState.DELIVERED, MessageState.READ})


class Known(NamedTuple):
    """What the store knows about a message and its person."""

    facts: Circumstances
    citizen: int | None
    language: str
    several: int
    """How many appointments of the person are still to come."""
    opens: bool
    """True if a template by WhatsApp would start a conversation."""
    last: Appointment | None = None
    """The appointment that a notice of its cancellation tells: its source may have forgotten it."""


def known_of(db: sqlite3.Connection, message: OutboxMessage, fresh: Fresh, rules: SendRules, now: datetime) -> Known:
    """Return what the store knows now. A reminder goes to the telephone that the source has now."""
    plan = message.plan
    appointment = fresh if isinstance(fresh, Appointment) else None
    phone, person = plan.phone, plan.person
    if appointment is not None and plan.kind is not MessageKind.ANSWER:
        phone, person = appointment.phone, ""
        if plan.kind is MessageKind.CANCELLED:  # some sources forget the telephone with the place
            phone = phone or plan.phone
    key = citizens.citizen_id(db, phone, person, now)
    if key is None:
        return Known(Circumstances(), None, plan.language or rules.language, 0, opens=False)
    citizen = citizens.citizen(db, key)
    window = messages.window(db, key, Channel.WHATSAPP)
    language = plan.language if plan.kind is MessageKind.ANSWER else citizen.language
    if not language and appointment is not None:
        language = appointment.language or ""
    return Known(
        _facts(db, message, appointment, citizen, now, rules=rules, sent_at=window.sent_at),
        key,
        language or rules.language,
        len(appointments.awaiting(db, key, now)),
        opens=is_opening(now, window.replied_at, window.opened_at),
        last=_last(db, plan) if plan.kind is MessageKind.CANCELLED else None,
    )


def _last(db: sqlite3.Connection, plan: PlannedMessage) -> Appointment | None:
    """Return the appointment as it was kept, at the hour that the notice speaks of."""
    kept = appointments.kept(db, plan.key.appointment)
    return None if kept is None else replace(kept.appointment, start=plan.key.start)


def _facts(
    db: sqlite3.Connection,
    message: OutboxMessage,
    appointment: Appointment | None,
    citizen: Citizen,
    now: datetime,
    *,
    rules: SendRules,
    sent_at: datetime | None,
) -> Circumstances:
    key, start, *_ = message.plan.key
    kept = appointments.kept(db, key)
    own = cancellations.cancellation(db, key, start)
    pause = next(
        (one for one in offices.pauses(db, now) if one.office == message.plan.office and one.first <= now), None
    )
    polls = offices.polls_of(db, key.source, message.plan.office)
    until = pair_until(sent_at)
    if until is not None and until > now + PAIR_GAP:  # the clock was put back
        until = None
    return Circumstances(
        phone=citizen.phone,
        person=citizen.person,
        zone=appointment.zone if appointment else kept.appointment.zone if kept else CITY_ZONE,
        opted_out=citizen.opted_out,
        is_confirmed=kept is not None and kept.is_confirmed,
        is_cancelling=own is not None and own.state in CANCELS,
        is_delivered=any(one.state in _TOLD for one in messages.attempts(db, message.plan.key) if one.id != message.id),
        is_held_back=is_held_back(key, rules.held_back, rules.arms_secret),
        has_consent=citizen.consented_at is not None
        or (appointment is not None and appointment.consented_at is not None),
        no_whatsapp_until=citizen.no_whatsapp_until,
        is_dead=citizen.is_dead,
        paused=pause is not None,
        paused_until=pause.until if pause else None,
        doubted=polls is not None and polls.doubted_since is not None,
        closed=frozenset(one for one in Channel if not Circuit(*channels.circuit(db, one)).is_closed(now)),
        wait_until={} if until is None else {Channel.WHATSAPP: until},
    )
