"""A citizen's message, as the webhook has it.

    text         {"from", "id", "timestamp", "type": "text", "text": {"body"}, "context": {"id"}}
    button       a quick reply of our template: {"type": "button", "button": {"payload", "text"}, "context": {"id"}}
    interactive  a button of a free message: {"interactive": {"type": "button_reply", "button_reply": {"id", "title"}}}
    reaction     {"reaction": {"message_id", "emoji"}}; without an emoji the reaction was removed
    system       {"system": {"type": "user_changed_number", "wa_id", "body"}}, with the old number in "from"

Anything else (a voice message, a picture, ``unsupported`` with error 131051) is a message that has no word to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.messages import Channel, IncomingReply, NumberChanged, ReplyKind
from vetlla.gateways.received import ChannelNotice, NoticeKind
from vetlla.gateways.whatsapp.fields import Object, a_list, a_text, a_time, an_object
from vetlla.gateways.whatsapp.people import PERSON, person_of, phone_of

if TYPE_CHECKING:
    from datetime import datetime

_CHANGED: Final = {"user_changed_number", "customer_changed_number", "user_changed_user_id"}
_FROM_TO: Final = re.compile(rf"\bchanged from ({PERSON.pattern}) to ({PERSON.pattern})")
_CAPTIONED: Final = ("image", "video", "document")


class UnreadableError(Exception):
    """A part of a delivery has no place in our values. The message says why, without personal data."""


class Contacts:
    """The persons of one value: pairs of number and id."""

    def __init__(self, value: Object) -> None:
        contacts = [an_object(one) for one in a_list(value.get("contacts"))]
        # An id can stand where the number was, and either can be missing.
        self._pairs = [
            (phone_of(one.get("wa_id")), person_of(one.get("user_id"), one.get("wa_id"))) for one in contacts
        ]

    def complete(self, phone: str, person: str) -> tuple[str, str]:
        """Return number and id of a person, if one of them or a single contact is known."""
        for known_phone, known_person in self._pairs:
            if (phone and phone == known_phone) or (person and person == known_person):
                return phone or known_phone, person or known_person
        if not phone and not person and len(self._pairs) == 1:
            return self._pairs[0]
        return phone, person


def reply_of(message: Object, contacts: Contacts, received_at: datetime) -> IncomingReply:
    """Return a citizen's message. Raises UnreadableError if it has no id, or no sender and nothing it answers."""
    provider_id = a_text(message.get("id"))
    if not provider_id:
        raise UnreadableError("the message has no id, so that it cannot be told from its repetition")
    given = (message.get("from"), message.get("from_user_id"))
    phone, person = contacts.complete(phone_of(*given), person_of(*given))
    kind, text, payload, context = _content(message)
    if not (phone or person or payload or context):
        raise UnreadableError("the message names no sender and answers nothing")
    return IncomingReply(
        provider_id=provider_id,
        channel=Channel.WHATSAPP,
        at=a_time(message.get("timestamp"), received_at),
        kind=kind,
        phone=phone,
        person=person,
        text=text,
        payload=payload,
        context=context,
    )


def _content(message: Object) -> tuple[ReplyKind, str, str, str]:
    """Return kind, text, payload, and the id of the message that was answered."""
    context = a_text(an_object(message.get("context")).get("id"))
    name = a_text(message.get("type"))
    part = an_object(message.get(name))
    match name:
        case "text" if isinstance(part.get("body"), str):
            return ReplyKind.TEXT, part["body"], "", context
        case "button":
            return ReplyKind.BUTTON, a_text(part.get("text")), a_text(part.get("payload")), context
        case "interactive":
            pressed = an_object(part.get("button_reply")) or an_object(part.get("list_reply"))
            if pressed:
                return ReplyKind.BUTTON, a_text(pressed.get("title")), a_text(pressed.get("id")), context
        case "reaction":
            return ReplyKind.REACTION, a_text(part.get("emoji")), "", a_text(part.get("message_id"))
    caption = a_text(part.get("caption")) if name in _CAPTIONED else ""
    return ReplyKind.OTHER, caption, "", context


def change_of(message: Object, received_at: datetime) -> NumberChanged | None:
    """Return a person's new number or id; None for another message of the system.

    Raises UnreadableError if it does not name both sides.
    """
    system = an_object(message.get("system"))
    name = a_text(system.get("type"))
    if name not in _CHANGED:
        return None
    if name == "user_changed_user_id":
        told = _FROM_TO.search(a_text(system.get("body")))
        before = person_of(system.get("previous_user_id"), told and told.group(1), message.get("from_user_id"))
        now = person_of(system.get("user_id"), told and told.group(2))
    else:
        before = phone_of(system.get("customer"), message.get("from"))
        now = phone_of(system.get("wa_id"), system.get("new_wa_id"))
    if not before or not now or before == now:
        raise UnreadableError("the change of a number does not name both sides")
    return NumberChanged(before, now, a_time(message.get("timestamp"), received_at))


def system_notice(message: Object, received_at: datetime) -> ChannelNotice:
    """Return another message of the system, such as a changed identity."""
    given = (message.get("from"), message.get("from_user_id"))
    return ChannelNotice(
        kind=NoticeKind.PERSON,
        at=a_time(message.get("timestamp"), received_at),
        event=a_text(an_object(message.get("system")).get("type")),
        phone=phone_of(*given),
        person=person_of(*given),
    )
