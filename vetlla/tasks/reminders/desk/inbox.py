"""The inbox: replies that the program did not understand, and what a person decides about them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.outbox import MessageKey, PlannedMessage
from vetlla.domain.segments import segments_of
from vetlla.service.reminders.conversations import WINDOW, is_window_open
from vetlla.service.reminders.texts.names import TextName
from vetlla.store.reminders import appointments, audit, cancellations, citizens, messages, outbox, replies
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.circumstances import CANCELS
from vetlla.tasks.reminders.replying import ANSWER_USEFUL, NO_APPOINTMENT, REMEMBERED, AnswerWanted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from vetlla.domain.appointments import Appointment
    from vetlla.store.reminders.appointments import KeptAppointment
    from vetlla.store.reminders.replies import InboxEntry

LONGEST_ANSWER: Final = 1_000
"""Most characters of an answer: seven SMS in the best case, and a quarter of what WhatsApp takes."""
LEAST_TIME: Final = timedelta(minutes=5)
"""WhatsApp's window must stay open this long, so that the dispatcher comes in time to send an answer."""
NOT_OPEN: Final = "vetlla reminders inbox list"


class Verdict(StrEnum):
    """What a person decides that a reply means."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


class Waiting(NamedTuple):
    """A reply that waits for a person, with what the person needs for an answer."""

    entry: InboxEntry
    language: str
    """The language that the citizen chose; "" if none."""
    appointments: tuple[KeptAppointment, ...]
    """Those of the citizen that the reply can be about."""
    answer_until: datetime | None
    """When WhatsApp takes no free message any more; None for an SMS."""


class Closed(NamedTuple):
    """What a person did about a reply."""

    reply: int
    channel: Channel
    answer: str
    """The text that is sent; "" if none is, or if the outcome of a cancellation will be the answer."""
    segments: int
    """How many SMS the answer has; 0 by WhatsApp."""
    verdict: Verdict | None
    appointment: KeptAppointment | None


def waiting(db: sqlite3.Connection, now: datetime) -> list[Waiting]:
    """Return the replies that wait for a person, the oldest first."""
    return [_waiting(db, entry, now) for entry in replies.inbox(db)]


def _waiting(db: sqlite3.Connection, entry: InboxEntry, now: datetime) -> Waiting:
    person = entry.reply.citizen
    if person is None:
        return Waiting(entry, "", (), None)
    until = _window_end(db, person) if entry.reply.reply.channel is Channel.WHATSAPP else None
    known = appointments.of_citizen(db, person, now - REMEMBERED)
    return Waiting(entry, citizens.citizen(db, person).language, tuple(known), until)


def _window_end(db: sqlite3.Connection, person: int) -> datetime | None:
    replied = messages.window(db, person, Channel.WHATSAPP).replied_at
    return None if replied is None else replied + WINDOW


# --- closing ----------------------------------------------------------------------------------------------------------


def answer(db: sqlite3.Connection, number: int, text: str, by: str, now: datetime) -> Closed:
    """Close a reply, and plan a person's text as the answer on the channel that the citizen used.

    Raises UsageError if the reply does not wait, or if WhatsApp takes no free message for it any more.
    """
    with atomic(db):
        entry = _open(db, number)
        said = _sendable(text)
        count = _plan_text(db, entry, said, now)
        _end_dialogue(db, entry)
        replies.close_inbox(db, number, by, now, answer=said)
        audit.record(db, now, by, "inbox answered", subject=f"reply {number}")
    return Closed(number, entry.reply.reply.channel, said, count, None, None)


def close(db: sqlite3.Connection, number: int, by: str, now: datetime) -> Closed:
    """Close a reply without an answer. Raises UsageError if it does not wait."""
    with atomic(db):
        entry = _open(db, number)
        replies.close_inbox(db, number, by, now)
        audit.record(db, now, by, "inbox closed", subject=f"reply {number}")
    return Closed(number, entry.reply.reply.channel, "", 0, None, None)


def decide(
    db: sqlite3.Connection,
    number: int,
    verdict: Verdict,
    wanted: str,
    text: str,
    *,
    wording: Callable[[AnswerWanted], str | None],
    by: str,
    now: datetime,
) -> Closed:
    """Close a reply, and carry out what a person read in it about one of the sender's appointments.

    ``wanted`` is the appointment's id, alone or after its source and a slash. A confirmation is answered with ``text``
    or, without it, with the office's own words (``wording``), if it has some and WhatsApp still takes them. A
    cancellation is wanted from now on, and the citizen is answered when the source has told the outcome; so it takes no
    text. Raises UsageError.
    """
    with atomic(db):
        entry = _open(db, number)
        chosen = _chosen(_waiting(db, entry, now), wanted, now)
        _refuse_cancelling(db, chosen, number)
        one = chosen.appointment
        count, said = 0, ""
        if verdict is Verdict.CANCEL:
            cancellations.want_cancelled(db, one.key, one.start, number, now)
        else:
            if not appointments.confirm(db, one.key, one.start, now):
                raise UsageError(f"{_named(chosen)} cannot be confirmed", remedy=_show(number))
            said = _sendable(text) if text else ""
            if not said and _can_answer(db, entry, now):
                said = _own_words(db, entry, one, wording)
            count = _plan_text(db, entry, said, now) if said else 0
        _end_dialogue(db, entry)
        replies.close_inbox(db, number, by, now, answer=said)
        about = {"appointment": "/".join(one.key), "start": one.start.isoformat()}
        audit.record(db, now, by, f"inbox {verdict}", subject=f"reply {number}", detail=about)
    return Closed(number, entry.reply.reply.channel, said, count, verdict, chosen)


def _own_words(
    db: sqlite3.Connection, entry: InboxEntry, one: Appointment, wording: Callable[[AnswerWanted], str | None]
) -> str:
    kept = entry.reply
    language = citizens.citizen(db, kept.citizen).language if kept.citizen is not None else ""
    return wording(AnswerWanted(TextName.CONFIRMED, language, kept.reply.channel, (one,))) or ""


def _end_dialogue(db: sqlite3.Connection, entry: InboxEntry) -> None:
    """Forget what the program asked: the citizen's next reply is no answer to a question before the person's words."""
    if entry.reply.citizen is not None:
        replies.end_dialogue(db, entry.reply.citizen)


def _open(db: sqlite3.Connection, number: int) -> InboxEntry:
    entry = replies.inbox_entry(db, number)
    if entry is None:
        raise UsageError(f"reply {number} is not in the inbox", remedy=NOT_OPEN)
    if entry.closed_at is not None:
        raise UsageError(f"{entry.closed_by} has closed reply {number}", remedy=NOT_OPEN)
    return entry


def _plan_text(db: sqlite3.Connection, entry: InboxEntry, text: str, now: datetime) -> int:
    """Put a person's text into the outbox; return how many SMS it has, 0 by WhatsApp."""
    kept = entry.reply
    reply = kept.reply
    _refuse_closed_window(db, entry, now)
    until = now + ANSWER_USEFUL
    if reply.channel is Channel.WHATSAPP and kept.citizen is not None:
        until = min(until, _window_end(db, kept.citizen) or until)
    message = PlannedMessage(
        key=MessageKey(NO_APPOINTMENT, now, f"answer-{kept.id}-person"),
        kind=MessageKind.ANSWER,
        office="",
        due=now,
        useful_until=until,
        phone=reply.phone,
        person=reply.person,
        channel=reply.channel,
        as_template=False,
        text=text,
        context=reply.provider_id,
    )
    outbox.plan(db, [message], now)
    return segments_of(text).segments if reply.channel is Channel.SMS else 0


def _refuse_closed_window(db: sqlite3.Connection, entry: InboxEntry, now: datetime) -> None:
    """Raise UsageError if no free message reaches the sender any more."""
    kept = entry.reply
    close_it = f"vetlla reminders inbox answer {kept.id} --close"
    if kept.citizen is None:
        raise UsageError(f"reply {kept.id} has no sender that can be answered", remedy=close_it)
    if not _can_answer(db, entry, now):
        raise UsageError(
            f"WhatsApp takes no free message for reply {kept.id} any more: the citizen wrote 24 hours ago",
            remedy=f"telephone the citizen, then: {close_it}",
        )


def _can_answer(db: sqlite3.Connection, entry: InboxEntry, now: datetime) -> bool:
    """Return False if WhatsApp takes no free message for the sender any more."""
    kept = entry.reply
    if kept.reply.channel is not Channel.WHATSAPP or kept.citizen is None:
        return True
    return is_window_open(now + LEAST_TIME, messages.window(db, kept.citizen, Channel.WHATSAPP).replied_at)


def _sendable(text: str) -> str:
    said = text.strip()
    if not said:
        raise UsageError("the answer is empty", remedy="give a text, or close the reply: --close")
    if len(said) > LONGEST_ANSWER:
        raise UsageError(f"the answer has more than {LONGEST_ANSWER} characters", remedy="shorten it")
    if not said.replace("\n", "").isprintable():
        raise UsageError("the answer has a control character", remedy="type it again, without pasted signs")
    return said


# --- the appointment that a person names ------------------------------------------------------------------------------


def _chosen(found: Waiting, wanted: str, now: datetime) -> KeptAppointment:
    """Return one of the sender's appointments; those of other people are never touched by a mistyped key."""
    number = found.entry.reply.id
    chosen = [one for one in found.appointments if wanted in {one.appointment.key.id, "/".join(one.appointment.key)}]
    if len(chosen) != 1:
        theirs = ", ".join("/".join(one.appointment.key) for one in found.appointments) or "none"
        why = "is no appointment of the sender" if not chosen else "names several appointments of the sender"
        raise UsageError(f"{wanted!r} {why} of reply {number}", remedy=f"the sender's appointments: {theirs}")
    (one,) = chosen
    if one.is_cancelled:
        raise UsageError(f"{_named(one)} is cancelled", remedy=_show(number))
    if one.appointment.start <= now:
        raise UsageError(f"the hour of {_named(one)} has passed", remedy=_show(number))
    return one


def _refuse_cancelling(db: sqlite3.Connection, chosen: KeptAppointment, number: int) -> None:
    """Raise UsageError if the citizen's own cancellation is on its way: a confirmation would come too late."""
    one = chosen.appointment
    own = cancellations.cancellation(db, one.key, one.start)
    if own is not None and own.state in CANCELS:
        raise UsageError(f"{_named(chosen)} is being cancelled already", remedy=_show(number))


def _named(one: KeptAppointment) -> str:
    return f"appointment {'/'.join(one.appointment.key)}"


def _show(number: int) -> str:
    return f"answer in words: vetlla reminders inbox answer {number} TEXT"
