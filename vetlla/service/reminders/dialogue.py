"""The conversation with one person about her appointments: which one a reply means, and what is done and answered.

WhatsApp and SMS share one conversation. The order of evidence is: the button that was pressed, the message that was
answered, then the words alone. The first decisive answer counts; a later different one is a new decision. A cancelled
appointment is never confirmed again, because its place may be another citizen's by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import Question
from vetlla.service.reminders.texts.names import TextName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.appointments import AppointmentKey
    from vetlla.service.reminders.replies import Understood

LISTED_FOR: Final = timedelta(hours=2)
"""Time in which the numbers of a list count."""


class Answered(StrEnum):
    """What the citizen said about an appointment."""

    NOTHING = "nothing"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An appointment of which the person was reminded."""

    key: AppointmentKey
    start: datetime
    """The hour in the last message about it; UTC."""
    end: datetime
    answered: Answered = Answered.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """What the last message asked, until it expires."""

    listed: tuple[AppointmentKey, ...] = ()
    """Appointments that were listed, the first as number 1."""
    wanted: Intent | None = None
    """What is to be done with the number that was asked for."""
    is_yes_no: bool = False
    is_asked_back: bool = False
    """True if the last reply was already asked back, so that a person reads the next one that is not understood."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a reply leads to."""

    confirm: tuple[AppointmentKey, ...] = ()
    cancel: tuple[AppointmentKey, ...] = ()
    """Each is cancelled after a look at the source (``cancelling.cancel_step``), and answered when that is done."""
    answer: TextName | None = None
    """The text of the answer; None if nothing is answered."""
    to_inbox: bool = False
    """True if a person has to read the reply."""
    opt_out: bool | None = None
    language: str | None = None
    """The language to go on in: the one that was asked for, or the one of the words."""
    about: AppointmentKey | None = None
    """The appointment that an answer speaks of, if it is neither a confirmation nor a list."""
    listed: tuple[AppointmentKey, ...] = field(default=())
    """Appointments that the answer lists with numbers."""
    dialogue: Dialogue | None = None


_WITHOUT_APPOINTMENT: Final[dict[Intent, tuple[TextName, bool | None]]] = {
    Intent.OPT_OUT: (TextName.OPTED_OUT, True),
    Intent.OPT_IN: (TextName.OPTED_IN, False),
    Intent.HELP: (TextName.HELP, None),
    Intent.LANGUAGE: (TextName.LANGUAGE_CHANGED, None),
}
"""Answer, and the new value of the opt-out, of replies that concern no appointment."""


def question_of(dialogue: Dialogue | None, candidates: Sequence[Candidate], now: datetime) -> Question:
    """Return what the person was asked last, for the reading of the reply."""
    open_ones = awaiting(candidates, now)
    if dialogue is None or dialogue.expires_at <= now:
        return Question(len(open_ones))
    listed = [key for key in dialogue.listed if any(one.key == key for one in open_ones)]
    if not dialogue.listed:
        return Question(len(open_ones), is_yes_no=dialogue.is_yes_no)
    if not listed:
        return Question(len(open_ones))
    # The numbers of the list stay as they were shown, even if one of its appointments is over by now.
    numbers = frozenset(number for number, key in enumerate(dialogue.listed, 1) if key in listed)
    return Question(max(len(open_ones), 2), numbers, wanted=dialogue.wanted)


def awaiting(candidates: Sequence[Candidate], now: datetime) -> list[Candidate]:
    """Return the appointments that a reply can be about: not over and not cancelled, the nearest first."""
    open_ones = [one for one in candidates if one.end > now and one.answered is not Answered.CANCELLED]
    return sorted(open_ones, key=lambda one: (one.start, one.key))


def decide(
    reading: Understood,
    candidates: Sequence[Candidate],
    dialogue: Dialogue | None,
    now: datetime,
    *,
    meant: AppointmentKey | None = None,
) -> Decision:
    """Return what a reply leads to. ``meant`` is the appointment of the message that the person answered, if known."""
    language = reading.language
    if reading.intent in _WITHOUT_APPOINTMENT:
        answer, opt_out = _WITHOUT_APPOINTMENT[reading.intent]
        return Decision(answer=answer, opt_out=opt_out, language=language, dialogue=dialogue)
    if not candidates:
        return Decision(answer=TextName.UNKNOWN_SENDER, to_inbox=True, language=language)
    if reading.intent is Intent.RESCHEDULE:
        about = meant or next((one.key for one in awaiting(candidates, now)), _latest(candidates))
        return Decision(answer=TextName.RESCHEDULE, language=language, about=about, to_inbox=not reading.sure)
    if reading.intent is Intent.NONE:
        return Decision(to_inbox=True, language=language, dialogue=dialogue)
    if reading.intent is Intent.ASK:
        return _ask_back(reading, candidates, dialogue, now, meant)
    return _decisive(reading, candidates, dialogue, now, meant)


def _decisive(
    reading: Understood,
    candidates: Sequence[Candidate],
    dialogue: Dialogue | None,
    now: datetime,
    meant: AppointmentKey | None,
) -> Decision:
    keys = _keys(reading, candidates, dialogue, now, meant)
    if keys is None:
        return _ask_back(reading, candidates, dialogue, now, meant)
    of_keys = [one for one in candidates if one.key in keys]
    if not of_keys or all(one.end <= now for one in of_keys):
        return Decision(answer=TextName.PAST, language=reading.language, about=_latest(candidates))
    if reading.intent is Intent.CANCEL:
        return Decision(cancel=keys, language=reading.language)
    if any(one.answered is Answered.CANCELLED for one in of_keys):
        return Decision(answer=TextName.CONFIRM_REFUSED, language=reading.language, about=keys[0])
    answer = TextName.CONFIRMED if len(keys) == 1 else TextName.CONFIRMED_SEVERAL
    return Decision(confirm=keys, answer=answer, language=reading.language)


def _keys(
    reading: Understood,
    candidates: Sequence[Candidate],
    dialogue: Dialogue | None,
    now: datetime,
    meant: AppointmentKey | None,
) -> tuple[AppointmentKey, ...] | None:
    """Return the appointments that a reply means; None if that must be asked."""
    listed = dialogue.listed if dialogue is not None and dialogue.expires_at > now else ()
    if reading.number is not None and listed:
        return (listed[reading.number - 1],) if 0 < reading.number <= len(listed) else None
    if reading.is_all and listed:
        return listed
    if meant is not None and any(one.key == meant for one in candidates):
        return (meant,)
    open_ones = awaiting(candidates, now)
    if reading.intent is Intent.CONFIRM:
        # A wrong confirmation is cheap: if one appointment waits for an answer, the reply is about that one.
        unanswered = [one for one in open_ones if one.answered is Answered.NOTHING]
        open_ones = unanswered if len(unanswered) == 1 else open_ones
    if len(open_ones) == 1:
        return (open_ones[0].key,)
    if open_ones:
        return None
    # Nothing waits any longer: the reply is about the appointment that was answered, or ended, last.
    return (_latest(candidates),)


def _latest(candidates: Sequence[Candidate]) -> AppointmentKey:
    return max(candidates, key=lambda one: (one.start, one.key)).key


def _ask_back(
    reading: Understood,
    candidates: Sequence[Candidate],
    dialogue: Dialogue | None,
    now: datetime,
    meant: AppointmentKey | None,
) -> Decision:
    """Ask once; a person reads the next reply that is not understood."""
    if dialogue is not None and dialogue.expires_at > now and dialogue.is_asked_back:
        return Decision(to_inbox=True, language=reading.language, dialogue=dialogue)
    open_ones = awaiting(candidates, now)
    if not open_ones:
        return Decision(answer=TextName.PAST, language=reading.language, about=_latest(candidates))
    wanted = reading.intent if reading.intent in {Intent.CONFIRM, Intent.CANCEL} else None
    is_which = len(open_ones) > 1 and meant is None
    asked = Dialogue(
        listed=tuple(one.key for one in open_ones) if is_which else (),
        wanted=wanted if is_which else None,
        is_asked_back=True,
        expires_at=now + LISTED_FOR,
    )
    return Decision(
        answer=TextName.LIST if is_which else TextName.ASK,
        language=reading.language,
        about=None if is_which else meant or open_ones[0].key,
        listed=asked.listed,
        dialogue=asked,
    )
