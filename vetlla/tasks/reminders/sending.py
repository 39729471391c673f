"""Sends what is due, in steps of one transaction each; between the steps the caller asks the source and the provider.

    take ─▶ (GET each appointment) ─▶ settle ─▶ (hand over) ─▶ outcomes.finish

``settle`` decides again and commits ``sending`` before the caller may hand a message over. After a crash anywhere
``outcomes.sweep`` brings each message on: claimed ones are planned again, sent ones wait for a report and fall back.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.appointments import Appointment
from vetlla.domain.messages import Channel, Outgoing
from vetlla.domain.outbox import MessageReason
from vetlla.domain.segments import segments_of
from vetlla.service.reminders.budget import WINDOW, with_budget
from vetlla.service.reminders.decision import AGAIN, Reschedule, Send, Suppress, decide
from vetlla.service.reminders.fallback import fallback_at
from vetlla.store.reminders import channels, messages, outbox
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.circumstances import known_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.outbox import OutboxMessage
    from vetlla.service.reminders.decision import Circumstances, Decision, Fresh
    from vetlla.tasks.reminders.circumstances import Known
    from vetlla.tasks.reminders.rules import SendRules

LEASE: Final = timedelta(minutes=2)
"""How long a dispatcher has a message: longer than all GETs of a batch and a call, with their timeouts."""
BATCH: Final = 20
"""Most messages that one dispatcher takes at a time. Each of them is handed over at once, so that a stop finds few that
were decided and not sent."""


OnFault: TypeAlias = "Callable[[int, Exception], None]"
"""Is told a row and the fault of this program that it met."""


def raised(row: int, error: Exception) -> None:
    """Raise the fault, in tests and in commands for one row."""
    error.add_note(f"row {row}")
    raise error


class NoTextError(Exception):
    """There is no text for a message, or a place of the text has no value."""


class WantedMessage(NamedTuple):
    """What a text is made of."""

    message: OutboxMessage
    appointment: Appointment | None
    """As the source has it now."""
    channel: Channel
    language: str
    several: int
    """How many appointments of this person are still to come; with more than one a bare number is no answer."""


class Rendered(NamedTuple):
    """A text, and the gateway that sends it. Telephone, reference and time limit are added when it is sent."""

    outgoing: Outgoing
    gateway: str


class Ready(NamedTuple):
    """A message that the caller must hand over now: ``sending`` is committed."""

    message: OutboxMessage
    channel: Channel
    outgoing: Outgoing
    is_template: bool
    before: datetime
    """After this time the caller must not hand it over any more: by then it may have been sent by another channel."""


def take(db: sqlite3.Connection, holder: str, now: datetime, *, limit: int = BATCH) -> list[OutboxMessage]:
    """Claim messages that are due, those of the nearest appointments first. Then GET their appointments and settle."""
    with atomic(db):
        return outbox.claim(db, holder, now, now + LEASE, limit)


def settle(
    db: sqlite3.Connection,
    taken: Sequence[tuple[OutboxMessage, Fresh]],
    rules: SendRules,
    now: datetime,
    render: Callable[[WantedMessage], Rendered],
    *,
    on_fault: OnFault = raised,
    on_no_text: Callable[[int], None] = lambda _: None,
) -> list[Ready]:
    """Decide about claimed messages, each with what the source says now; return those to hand over.

    When this returns, ``sending`` is durable. A message whose claim was lost meanwhile is not returned. ``render`` may
    raise NoTextError; then the message waits for its text, and ``on_no_text`` is told its row. A message that this
    program cannot decide about is told to ``on_fault`` and waits, so that it does not stop the others.
    """
    ready = []
    with atomic(db):
        room = _room(db, taken, rules, now)
        unusable = channels.unusable_templates(db)
        for message, fresh in taken:
            try:
                one = _settled(db, message, fresh, rules, now, render=render, room=room, unusable=unusable)
            except sqlite3.OperationalError:  # the disk, not the message
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other messages must go out
                on_fault(message.id, error)
                _put_off(db, message, now)
                continue
            if isinstance(one, Ready):
                ready.append(one)
            elif one is MessageReason.TEXT:
                on_no_text(message.id)
    return ready


def _settled(
    db: sqlite3.Connection,
    message: OutboxMessage,
    fresh: Fresh,
    rules: SendRules,
    now: datetime,
    *,
    render: Callable[[WantedMessage], Rendered],
    room: set[int],
    unusable: set[tuple[str, str]],
) -> Ready | MessageReason | None:
    """Decide about one message, and write the decision; return it if it is to be handed over, else why it waits."""
    known = known_of(db, message, fresh, rules, now)  # after the message before it was written
    has_budget = not known.opens or known.citizen in room
    choice = _Choice(message, fresh, known, replace(known.facts, has_budget=has_budget), rules, now)
    decision, rendered = choice.made(render, unusable)
    if isinstance(decision, Suppress):
        outbox.suppress(db, message, decision.reason)
    elif isinstance(decision, Reschedule):
        outbox.postpone(db, message, decision.at, decision.reason)
        return decision.reason
    elif rendered is not None:
        return _begun(db, choice, decision.channel, rendered)
    return None


def _put_off(db: sqlite3.Connection, message: OutboxMessage, now: datetime) -> None:
    """Let a message wait that the program could not decide about, until it is of no use."""
    end = message.plan.useful_until
    if now >= end:
        outbox.suppress(db, message, MessageReason.TOO_LATE)
    else:
        outbox.postpone(db, message, min(now + AGAIN, end), MessageReason.FAULT)


def _room(
    db: sqlite3.Connection, taken: Sequence[tuple[OutboxMessage, Fresh]], rules: SendRules, now: datetime
) -> set[int]:
    """Return the people that the budget lets us write to first, those with the nearest appointments.

    Messages that wait for a place take part, so that one with a later appointment does not get it before them.
    """
    used = messages.conversations_since(db, now - WINDOW)
    wanted = messages.waiting_for_budget(db, now, rules.conversations_in_24h - used)
    for message, fresh in taken:
        try:
            known = known_of(db, message, fresh, rules, now)
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001, S112 - settling this message meets it again, and tells it
            continue
        if known.opens and known.citizen is not None and message.plan.as_template:
            wanted.append((message.plan.key.start, known.citizen))
    return with_budget(wanted, used, rules.conversations_in_24h)


class _Choice(NamedTuple):
    """One message with all that its decision needs."""

    message: OutboxMessage
    fresh: Fresh
    known: Known
    facts: Circumstances
    rules: SendRules
    now: datetime

    def made(
        self, render: Callable[[WantedMessage], Rendered], unusable: set[tuple[str, str]]
    ) -> tuple[Decision, Rendered | None]:
        """Return the decision, and the text of a message that is sent."""
        decision = self._decision()
        if not isinstance(decision, Send):
            return decision, None
        try:
            rendered = render(self._wanted(decision.channel))
        except NoTextError:
            return Reschedule(min(self.now + AGAIN, self.message.plan.useful_until), MessageReason.TEXT), None
        if (rendered.outgoing.template, rendered.outgoing.language) not in unusable:
            return decision, rendered
        closed = self.facts.closed | {decision.channel}
        return self._replace(facts=replace(self.facts, closed=closed)).made(render, set())

    def _decision(self) -> Decision:
        book, office = self.rules.book, self.message.plan.office
        rules = book.offices.get(office, book.default)
        if isinstance(self.fresh, Appointment):
            rules = book.rules_for(self.fresh)
        return decide(self.message.plan, self.fresh, self.facts, self.now, rules=rules, policy=self.rules.policy)

    def _wanted(self, channel: Channel) -> WantedMessage:
        appointment = self.fresh if isinstance(self.fresh, Appointment) else self.known.last
        return WantedMessage(self.message, appointment, channel, self.known.language, self.known.several)


def _begun(db: sqlite3.Connection, choice: _Choice, channel: Channel, rendered: Rendered) -> Ready | None:
    """Write that the message is handed over now; None if the claim is lost."""
    message, now, facts = choice.message, choice.now, choice.facts
    is_template = channel is Channel.WHATSAPP and bool(rendered.outgoing.template)
    limit = fallback_at(message.plan, channel, now)
    phone = choice.rules.redirect_to or facts.phone
    outgoing = replace(
        rendered.outgoing,
        reference=message.reference,
        phone=phone,
        person="" if phone else facts.person,
        useful_s=max(1, int((limit - now).total_seconds())),
    )
    is_ours = outbox.begin_sending(
        db,
        message,
        channel,
        now,
        citizen=choice.known.citizen,
        gateway=rendered.gateway,
        text=outgoing.text,
        template=outgoing.template,
        language=outgoing.language,
        segments=segments_of(outgoing.text).segments if channel is Channel.SMS else 0,
        fallback_at=limit,
        opens=is_template and choice.known.opens,
    )
    return Ready(message, channel, outgoing, is_template, message.leased_until or now) if is_ours else None
