"""Handles what citizens sent: understands it, keeps what it leads to, and plans the answer, in one transaction each.

A cancellation is only wanted here. ``tasks/reminders/cancelling.py`` asks the source, and the citizen is answered when
the outcome is known.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.messages import Channel, MessageKind, ReplyKind
from vetlla.domain.outbox import MessageKey, MessageReason, PlannedMessage
from vetlla.service.reminders.cancelling import CancelStep
from vetlla.service.reminders.dialogue import LISTED_FOR, Answered, Candidate, Decision, Dialogue, decide, question_of
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import Understood, understand
from vetlla.service.reminders.texts.names import TextName
from vetlla.service.reminders.tokens import read_token
from vetlla.store.reminders import appointments, cancellations, citizens, messages, outbox, replies
from vetlla.store.reminders.cancellations import CancellationState
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.circumstances import CANCELS
from vetlla.tasks.reminders.sending import raised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vetlla.domain.appointments import Appointment
    from vetlla.service.reminders.lexicon import Lexicon
    from vetlla.store.reminders.cancellations import Cancellation
    from vetlla.store.reminders.replies import KeptReply
    from vetlla.tasks.reminders.sending import OnFault

REMEMBERED: Final = timedelta(days=2)
"""How long after its end an appointment is still what a late reply is about."""
ANSWERS_AN_HOUR: Final = 3
"""Most automatic answers to one person in an hour, because two programs that answer each other would never stop."""
UNKNOWN_AGAIN: Final = timedelta(days=1)
"""Time between two answers to a person who has no appointment."""
ANSWER_USEFUL: Final = timedelta(hours=12)
"""After this time an answer is of no use, and a free message by WhatsApp is no longer allowed after 24 hours."""
BATCH: Final = 100
"""Most replies that one call takes."""
SPOKEN_WORDS: Final = 2
"""Least words of a reply that tell which language its sender speaks."""
DELAYED: Final = timedelta(hours=1)
"""After this time a reply may be about an appointment of which its sender was told later: Meta repeats for a week."""


class AnswerWanted(NamedTuple):
    """What the text of an answer is made of."""

    answer: TextName
    language: str
    channel: Channel
    appointments: tuple[Appointment, ...]
    """Those that the answer is about; for a list, in the order of their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRules:
    """What replies are read with."""

    lexicon: Lexicon
    secret: bytes
    """Key of the buttons' payloads."""
    wording: Callable[[AnswerWanted], str | None]
    """Returns the text of an answer; None if this answer is switched off."""
    language: str = "ca"
    opts_out_of: frozenset[Channel] = frozenset(Channel)
    """The channels that one opt-out closes."""


class Handled(NamedTuple):
    """What a reply led to."""

    reply: int
    intent: Intent
    decision: Decision


def handle_replies(
    db: sqlite3.Connection, rules: ReplyRules, now: datetime, *, limit: int = BATCH, on_fault: OnFault = raised
) -> list[Handled]:
    """Handle the replies that wait, in the order in which they came.

    A reply that this program cannot handle is told to ``on_fault`` and comes before a person, so that it does not stop
    the others.
    """
    handled = []
    for kept in replies.open_replies(db, limit):
        try:
            with atomic(db):
                handled.append(_handle(db, kept, rules, now))
        except sqlite3.OperationalError:  # the disk, not the reply
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other citizens must be answered
            on_fault(kept.id, error)
            with atomic(db):
                replies.to_inbox(db, kept.id, "a fault of the program", now)
                replies.handled(db, kept.id, "inbox", now)
    return handled


def _handle(db: sqlite3.Connection, kept: KeptReply, rules: ReplyRules, now: datetime) -> Handled:
    reply, person = kept.reply, kept.citizen
    if person is None:
        replies.to_inbox(db, kept.id, "no sender", now)
        replies.handled(db, kept.id, "inbox", now)
        return Handled(kept.id, Intent.NONE, Decision(to_inbox=True))
    evidence = _evidence(db, kept, rules)
    known = _candidates(db, person, evidence, now)
    candidates = [one for one, _ in known]
    before = _dialogue(replies.dialogue(db, person, now))
    reading = evidence.reading or understand(reply.text, rules.lexicon, question_of(before, candidates, now))
    if evidence.appointment is None and now - reply.at > DELAYED and reading.intent in _DECISIVE:
        told = {one.key for one in candidates if messages.was_told(db, one.key, reply.at)}
        if any(one.key not in told for one in candidates):
            reading = reading._replace(intent=Intent.ASK, sure=False)
    if reply.kind is ReplyKind.OTHER:
        decision = Decision(answer=TextName.ONLY_TEXT, to_inbox=True, dialogue=before)
    else:
        decision = decide(reading, candidates, before, now, meant=evidence.appointment)
    if reading.intent is not Intent.LANGUAGE and len(reply.text.split()) < SPOKEN_WORDS:
        decision = replace(decision, language=None)  # one word may be the other language's, mistyped
    _carry_out(db, kept, decision, {one.key: one for one in candidates}, now=now, channels=rules.opts_out_of)
    _answer(db, kept, decision, {one.key: value for one, value in known}, rules=rules, now=now)
    outcome = "inbox" if decision.to_inbox else "cancel" if decision.cancel else decision.answer or ""
    if decision.answer is TextName.UNKNOWN_SENDER:
        outcome = TextName.UNKNOWN_SENDER  # it comes before a person too; the report counts it apart
    replies.handled(db, kept.id, outcome, now, intent=reading.intent.value, language=reading.language or "",
                    message=evidence.message)  # fmt: skip
    return Handled(kept.id, reading.intent, decision)


_DECISIVE: Final = frozenset({Intent.CONFIRM, Intent.CANCEL})

# --- what the reply is about ------------------------------------------------------------------------------------------


class _Evidence(NamedTuple):
    """What a button or the answered message says, which is stronger than words."""

    reading: Understood | None = None
    appointment: AppointmentKey | None = None
    start: datetime | None = None
    message: int | None = None


def _evidence(db: sqlite3.Connection, kept: KeptReply, rules: ReplyRules) -> _Evidence:
    reply = kept.reply
    pressed = read_token(rules.secret, reply.payload) if reply.payload else None
    message = messages.by_reference(db, pressed.reference) if pressed is not None else None
    if message is None and reply.context:
        message = messages.by_provider_id(db, reply.channel, reply.context)
    reading = None if pressed is None else Understood(pressed.intent, None, sure=True)
    if reading is not None and reading.intent is Intent.LANGUAGE and message is not None:
        # The button stands under a text and offers the other language.
        _, language = messages.template_of(db, message.id)
        reading = reading._replace(language="ca" if language == "es" else "es")
    if message is None or message.plan.key.appointment == NO_APPOINTMENT:
        return _Evidence(reading)
    return _Evidence(reading, message.plan.key.appointment, message.plan.key.start, message.id)


def _candidates(
    db: sqlite3.Connection, person: int, evidence: _Evidence, now: datetime
) -> list[tuple[Candidate, Appointment]]:
    """Return the appointments that a reply of this person can be about, with the hour that the person was told."""
    found = []
    for kept in appointments.of_citizen(db, person, now - REMEMBERED):
        one = kept.appointment
        told = evidence.start if evidence.start is not None and one.key == evidence.appointment else one.start
        own = cancellations.cancellation(db, one.key, told)
        answered = Answered.CONFIRMED if kept.is_confirmed else Answered.NOTHING
        if kept.is_cancelled or (own is not None and own.state in CANCELS):
            answered = Answered.CANCELLED
        found.append((Candidate(key=one.key, start=told, end=max(one.end, told), answered=answered), one))
    return found


NO_APPOINTMENT: Final = AppointmentKey("", "")
"""Key of an answer that is about no appointment."""
_ASKED: Final = {"which": None, "which confirm": Intent.CONFIRM, "which cancel": Intent.CANCEL}


def _dialogue(kept: replies.Dialogue | None) -> Dialogue | None:
    """Return a kept question in the form of the rules."""
    if kept is None:
        return None
    return Dialogue(
        listed=tuple(offer.appointment for offer in kept.offered),
        wanted=_ASKED.get(kept.question),
        is_asked_back=True,
        expires_at=kept.expires,
    )


# --- cancellations ---------------------------------------------------------------------------------------------------

ANSWERED_LATE: Final = timedelta(hours=6)
"""How long after its end a cancellation is still answered, for a service that was stopped meanwhile."""
NOTED_AFTER: Final = timedelta(minutes=2)
"""A citizen whose cancellation waits longer than this for the source hears that it is noted."""
_OUTCOMES: Final = {
    CancellationState.DONE: TextName.CANCELLED,
    CancellationState.GONE: TextName.ALREADY_CANCELLED,
    CancellationState.REFUSED: TextName.NOT_ALLOWED,
    CancellationState.LATE: TextName.NOT_ALLOWED,
    CancellationState.MOVED: TextName.HOUR_CHANGED,
}


def answer_cancellations(
    db: sqlite3.Connection, rules: ReplyRules, now: datetime, *, on_fault: OnFault = raised
) -> int:
    """Plan the answers to cancellations whose outcome is known, or that take long; return how many."""
    count = 0
    for one in cancellations.to_answer(db, now - ANSWERED_LATE, now - NOTED_AFTER):
        try:
            with atomic(db):
                count += _answer_cancellation(db, one, rules, now)
        except sqlite3.OperationalError:  # the disk, not the cancellation
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other citizens must be answered
            on_fault(one.id, error)
    return count


def _answer_cancellation(db: sqlite3.Connection, one: Cancellation, rules: ReplyRules, now: datetime) -> bool:
    kept = replies.reply_of(db, one.reply) if one.reply is not None else None
    known = appointments.kept(db, one.appointment)
    if kept is None or kept.citizen is None or known is None:
        return False
    name = _OUTCOMES.get(one.state, TextName.NOTED)
    if one.code == CancelStep.BEGUN:
        name = TextName.BEGUN
    if name is TextName.HOUR_CHANGED and known.appointment.start == one.start:
        return False  # the next poll brings the new hour
    if messages.has_answer(db, kept.citizen, _step_of(kept, name)):
        return False  # the appointment may have moved since, which a notice of its own tells
    if not plan_answer(db, kept, name, [known.appointment], rules=rules, now=now):
        return False
    if name is TextName.HOUR_CHANGED:
        replies.ask(db, kept.citizen, replies.Dialogue("back", (), now + LISTED_FOR), now)
    return True


# --- what it leads to -------------------------------------------------------------------------------------------------


def _carry_out(
    db: sqlite3.Connection,
    kept: KeptReply,
    decision: Decision,
    candidates: dict[AppointmentKey, Candidate],
    *,
    now: datetime,
    channels: frozenset[Channel],
) -> None:
    person = kept.citizen
    assert person is not None
    for key in decision.confirm:
        appointments.confirm(db, key, candidates[key].start, now)
    for key in decision.cancel:
        cancellations.want_cancelled(db, key, candidates[key].start, kept.id, now)
    if decision.opt_out is True:
        citizens.opt_out(db, person, channels, now, "reply")
    elif decision.opt_out is False:
        citizens.opt_in(db, person, frozenset(Channel))
        outbox.reinstate(db, person, MessageReason.OPTED_OUT, now)
    if decision.language is not None:
        citizens.remember_language(db, person, decision.language)
    if decision.to_inbox:
        replies.to_inbox(db, kept.id, "not understood", now)
    asked = decision.dialogue
    if asked is None:
        replies.end_dialogue(db, person)
    elif decision.answer in {TextName.ASK, TextName.LIST}:
        offers = tuple(replies.Offer(key, candidates[key].start) for key in asked.listed)
        question = " ".join(filter(None, ("which" if asked.listed else "back", asked.wanted or "")))
        replies.ask(db, person, replies.Dialogue(question, offers, asked.expires_at), now)


def _answer(
    db: sqlite3.Connection,
    kept: KeptReply,
    decision: Decision,
    known: dict[AppointmentKey, Appointment],
    *,
    rules: ReplyRules,
    now: datetime,
) -> None:
    """Plan the answer, if there is one. A cancellation is answered when the source has answered."""
    if decision.answer is None or kept.citizen is None:
        return
    if not _may_answer(db, kept.citizen, decision.answer, now):
        return
    keys = decision.confirm or decision.listed or ((decision.about,) if decision.about in known else ())
    plan_answer(
        db, kept, decision.answer, [known[key] for key in keys], rules=rules, now=now, language=decision.language
    )


def _may_answer(db: sqlite3.Connection, person: int, answer: TextName, now: datetime) -> bool:
    if messages.answers_since(db, person, now - timedelta(hours=1)) >= ANSWERS_AN_HOUR:
        return False
    is_first = messages.answers_since(db, person, now - UNKNOWN_AGAIN, step="unknown_sender") == 0
    return answer is not TextName.UNKNOWN_SENDER or is_first


def plan_answer(
    db: sqlite3.Connection,
    kept: KeptReply,
    answer: TextName,
    about: Sequence[Appointment],
    *,
    rules: ReplyRules,
    now: datetime,
    language: str | None = None,
) -> bool:
    """Put an answer into the outbox; return False if its text is switched off, or it was planned before."""
    reply = kept.reply
    assert kept.citizen is not None
    spoken = (about[0].language or "") if about else ""
    language = language or citizens.citizen(db, kept.citizen).language or spoken or rules.language
    text = rules.wording(AnswerWanted(answer, language, reply.channel, tuple(about)))
    if text is None:
        return False
    first = about[0] if about else None
    key = MessageKey(first.key if first else NO_APPOINTMENT, first.start if first else now, _step_of(kept, answer))
    message = PlannedMessage(
        key=key,
        kind=MessageKind.ANSWER,
        office=first.office if first else "",
        due=now,
        useful_until=now + ANSWER_USEFUL,
        phone=reply.phone,
        person=reply.person,
        language=language,
        channel=reply.channel,
        as_template=False,
        text=text,
        context=reply.provider_id,
    )
    return bool(outbox.plan(db, [message], now))


def _step_of(kept: KeptReply, answer: TextName) -> str:
    return f"answer-{kept.id}-{answer}"
