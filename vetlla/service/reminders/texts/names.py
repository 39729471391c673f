"""The texts that the service needs: what each is for, and what it may and must have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vetlla.domain.messages import MessageKind
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import PLAIN, Question
from vetlla.service.reminders.texts.places import Place

if TYPE_CHECKING:
    from collections.abc import Mapping


class TextName(StrEnum):
    """What a text is for."""

    REMINDER = "reminder"
    """A reminder days before (72, 48 or 24 hours): it asks for confirmation or cancellation."""
    REMINDER_AGAIN = "reminder_again"
    """A second reminder, to a citizen who has not confirmed."""
    REMINDER_SOON = "reminder_soon"
    """A reminder hours before (2 hours). It names the day, because quiet hours can move it to the evening before."""
    BOOKED = "booked"
    """The appointment was booked so late that there is no reminder."""
    MOVED = "moved"
    """The appointment has another day or hour."""
    CANCELLED_BY_OFFICE = "cancelled_by_office"
    INFORMATION = "information"
    """Documents to bring, how to do it online, digital support, help by telephone."""

    CONFIRMED = "confirmed"
    CONFIRMED_SEVERAL = "confirmed_several"
    CANCELLED = "cancelled"
    CANCELLED_SEVERAL = "cancelled_several"
    CANCELLED_LATE = "cancelled_late"
    """The appointment was cancelled after the time until which citizens are asked to do so."""
    ALREADY_CANCELLED = "already_cancelled"
    CONFIRM_REFUSED = "confirm_refused"
    """The citizen confirms an appointment that was cancelled."""
    ASK = "ask"
    """The reply could be a command, so the citizen is asked once."""
    LIST = "list"
    """Several appointments wait for an answer: they are numbered."""
    HOUR_CHANGED = "hour_changed"
    """The citizen cancels an appointment whose hour changed after the reminder, so the citizen is asked again."""
    BEGUN = "begun"
    """The citizen cancels, and has arrived already."""
    PAST = "past"
    """The reply came after the end of the appointment."""
    NOT_ALLOWED = "not_allowed"
    """The office allows no cancellation of this procedure by message."""
    NOTED = "noted"
    """The queue system does not answer, so the cancellation is kept and tried again."""
    UNKNOWN_SENDER = "unknown_sender"
    ONLY_TEXT = "only_text"
    """The citizen sent a voice message or a picture."""
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    HELP = "help"
    LANGUAGE_CHANGED = "language_changed"
    RESCHEDULE = "reschedule"
    THANKS = "thanks"
    """Off as shipped: WhatsApp bills each answer since October 2026."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a text may and must have."""

    kind: MessageKind = MessageKind.ANSWER
    places: frozenset[Place]
    """Places that have a value when the text is sent."""
    needs: tuple[frozenset[Place], ...] = ()
    """The text must have a place of each of these sets."""
    question: Question = PLAIN
    """What a reply to this text answers."""
    asks: frozenset[Intent] = frozenset()
    """Commands that the text must offer, unless the sender cannot be answered."""

    @property
    def is_template(self) -> bool:
        """True if the city starts the conversation, so that WhatsApp demands a template that it approved."""
        return self.kind is not MessageKind.ANSWER


_OFFICE: Final = frozenset(
    {Place.OFICINA, Place.LLOC, Place.ADRECA, Place.TELEFON, Place.ENLLAC, Place.PUNTS, Place.TELEFON_AJUDA}
)
_DAY: Final = frozenset({Place.DIA, Place.DIA_CURT, Place.QUAN, Place.QUAN_CURT})
_HOUR: Final = frozenset({Place.HORA, Place.QUAN, Place.QUAN_CURT})
_ONE: Final = _OFFICE | _DAY | _HOUR | {Place.TRAMIT, Place.DOCUMENTS, Place.ENLLAC_TRAMIT}
_SEVERAL: Final = _OFFICE | {Place.LLISTA}
_WHERE: Final = frozenset({Place.OFICINA, Place.LLOC, Place.ADRECA})
_CONTACT: Final = frozenset({Place.TELEFON, Place.ENLLAC})
_LISTED: Final = frozenset({Place.LLISTA})
_TWO: Final = Question(awaiting=2, offered=frozenset({1, 2}))
_DECISION: Final = frozenset({Intent.CONFIRM, Intent.CANCEL})
_CANCEL: Final = frozenset({Intent.CANCEL})
_WHEN: Final = (_DAY, _HOUR)

PURPOSES: Final[Mapping[TextName, Purpose]] = {
    TextName.REMINDER: Purpose(kind=MessageKind.REMINDER, places=_ONE, needs=(*_WHEN, _WHERE), asks=_DECISION),
    TextName.REMINDER_AGAIN: Purpose(kind=MessageKind.REMINDER, places=_ONE, needs=(*_WHEN, _WHERE), asks=_DECISION),
    TextName.REMINDER_SOON: Purpose(kind=MessageKind.REMINDER, places=_ONE, needs=(*_WHEN, _WHERE), asks=_CANCEL),
    TextName.BOOKED: Purpose(kind=MessageKind.REMINDER, places=_ONE, needs=(*_WHEN, _WHERE), asks=_CANCEL),
    TextName.MOVED: Purpose(kind=MessageKind.MOVED, places=_ONE, needs=(*_WHEN, _WHERE), asks=_DECISION),
    TextName.CANCELLED_BY_OFFICE: Purpose(kind=MessageKind.CANCELLED, places=_ONE, needs=(*_WHEN, _CONTACT)),
    TextName.INFORMATION: Purpose(kind=MessageKind.INFORMATION, places=_ONE),
    TextName.CONFIRMED: Purpose(places=_ONE, needs=_WHEN),
    TextName.CONFIRMED_SEVERAL: Purpose(places=_SEVERAL, needs=(_LISTED,), question=_TWO),
    TextName.CANCELLED: Purpose(places=_ONE, needs=_WHEN),
    TextName.CANCELLED_SEVERAL: Purpose(places=_SEVERAL, needs=(_LISTED,), question=_TWO),
    TextName.CANCELLED_LATE: Purpose(places=_ONE, needs=_WHEN),
    TextName.ALREADY_CANCELLED: Purpose(places=_ONE, needs=_WHEN),
    TextName.CONFIRM_REFUSED: Purpose(places=_ONE, needs=(*_WHEN, _CONTACT)),
    TextName.ASK: Purpose(places=_ONE, needs=_WHEN, asks=_DECISION),
    TextName.LIST: Purpose(places=_SEVERAL, needs=(_LISTED,), question=_TWO, asks=_DECISION),
    TextName.HOUR_CHANGED: Purpose(places=_ONE, needs=_WHEN, asks=_DECISION),
    TextName.BEGUN: Purpose(places=_ONE, needs=_WHEN),
    TextName.PAST: Purpose(places=_ONE, needs=_WHEN),
    TextName.NOT_ALLOWED: Purpose(places=_ONE, needs=(*_WHEN, frozenset({Place.TELEFON}))),
    TextName.NOTED: Purpose(places=_ONE, needs=_WHEN),
    TextName.UNKNOWN_SENDER: Purpose(places=_CONTACT, needs=(_CONTACT,)),
    TextName.ONLY_TEXT: Purpose(places=_CONTACT, asks=_DECISION),
    TextName.OPTED_OUT: Purpose(places=_CONTACT, asks=frozenset({Intent.OPT_IN})),
    TextName.OPTED_IN: Purpose(places=_CONTACT, asks=frozenset({Intent.OPT_OUT})),
    TextName.HELP: Purpose(places=_CONTACT, asks=_DECISION | {Intent.OPT_OUT, Intent.LANGUAGE}),
    TextName.LANGUAGE_CHANGED: Purpose(places=_CONTACT),
    TextName.RESCHEDULE: Purpose(places=_ONE, needs=(_CONTACT,)),
    TextName.THANKS: Purpose(places=_CONTACT),
}
"""Every text. An answer without an appointment has only the office's telephone and link, and no personal data."""

SOON: Final = timedelta(hours=6)
"""A reminder less than this before the appointment tells that the citizen is awaited, and does not ask any more."""


def reminder_name(lead: timedelta, *, is_second: bool = False) -> TextName:
    """Return the text of a reminder step that is planned this long before the appointment.

    ``is_second`` is true for a step that only those get who have not confirmed.
    """
    if lead < SOON:
        return TextName.REMINDER_SOON
    return TextName.REMINDER_AGAIN if is_second else TextName.REMINDER
