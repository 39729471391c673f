"""A message as the Cloud API wants it, and what its answer means.

    POST /v26.0/{phone number id}/messages          Authorization: Bearer {token}
    {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "34600000001", "type": "template", ...}

    200 {"contacts": [{"input": ..., "wa_id": ..., "user_id": ...}], "messages": [{"id": "wamid...", ...}]}
    4xx {"error": {"message": ..., "type": ..., "code": 131026, "error_data": {"details": ...}, "fbtrace_id": ...}}

An accepted message is not delivered yet: that a person has no WhatsApp is told later, by the webhook. The API has no
place for the time in which a message is useful: it is a property of the template (``message_send_ttl_seconds``, 30 to
43,200 seconds for a utility template, else 30 days).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.masking import masked
from vetlla.domain.messages import Accepted
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.whatsapp.people import person_of, phone_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.messages import Outgoing
    from vetlla.gateways.http import Answer

_BREAKS: Final = re.compile(r"[\r\n\t]+")
_SPACES: Final = re.compile(r" {5,}")
PAGE: Final = "docs/reminders-channels.md says what each code means"


def body_of(message: Outgoing, languages: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON of a message. Raises RefusedError if it names no person that WhatsApp knows.

    ``languages`` has the code of the approved template for each of our languages, such as ``es`` or ``es_ES``.
    """
    body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", **_recipient(message)}
    if message.reference:
        body["biz_opaque_callback_data"] = message.reference
    if message.context:
        body["context"] = {"message_id": message.context}
    if message.template:
        return body | {"type": "template", "template": _template(message, languages)}
    if not message.text:
        raise RefusedError("a message needs a template or a text")
    return body | {"type": "text", "text": {"preview_url": False, "body": message.text}}


def _recipient(message: Outgoing) -> dict[str, str]:
    """Return the field that names the person.

    An id in ``to`` gets status 200 and a message id, and is dropped in silence (seen by Chatwoot, 2026). So ``to``
    takes a telephone number only.
    """
    if message.phone:
        phone = phone_of(message.phone)
        if not phone:
            raise RefusedError("the telephone number of the message is none: it must be like +34600000001")
        return {"to": phone.removeprefix("+")}
    person = person_of(message.person)
    if not person:
        raise RefusedError("the message names neither a telephone number nor an id of WhatsApp")
    return {"recipient": person}


def _template(message: Outgoing, languages: Mapping[str, str]) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if message.parameters:
        values = [{"type": "text", "text": one_line(value)} for value in message.parameters]
        components.append({"type": "body", "parameters": values})
    for index, payload in enumerate(message.buttons):
        button = {"type": "button", "sub_type": "quick_reply", "index": str(index)}
        components.append(button | {"parameters": [{"type": "payload", "payload": payload}]})
    template: dict[str, Any] = {
        "name": message.template,
        "language": {"code": languages.get(message.language, message.language)},
    }
    return template | ({"components": components} if components else {})


def one_line(value: str) -> str:
    """Return a template's value as Meta takes it: without line breaks and tabs, and at most four spaces in a row."""
    return _SPACES.sub("    ", _BREAKS.sub(" ", value))


def accepted_of(answer: Answer) -> Accepted:
    """Return what the API accepted.

    Raises RefusedError with Meta's code, or with ``HTTP-404`` and the like from a server on the way. Raises
    OutcomeUnknownError if a server on the way failed (5xx without Meta's error), or if a success has no id.
    """
    document = answer.json()
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and isinstance(error.get("code"), int | str):
        raise RefusedError(
            f"WhatsApp refused the call: {error['code']} {_meaning(error)}",
            code=str(error["code"]),
            remedy=PAGE,
            retry_after_s=answer.retry_after_s,
        )
    if 300 <= answer.status < 500:
        raise RefusedError(
            f"a server on the way to WhatsApp refused the call: HTTP {answer.status}",
            code=f"HTTP-{answer.status}",
            remedy="check address, version and id of the number, and the proxy",
            retry_after_s=answer.retry_after_s,
        )
    if answer.status >= 500:
        raise OutcomeUnknownError(f"WhatsApp answered HTTP {answer.status} without an error of its own")
    return _accepted(document)


def _accepted(document: object) -> Accepted:
    messages = document.get("messages") if isinstance(document, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    if not isinstance(first, dict) or not isinstance(first.get("id"), str) or not first["id"]:
        raise OutcomeUnknownError("WhatsApp answered with success and without the id of the message")
    contacts = document.get("contacts") if isinstance(document, dict) else None
    contact = contacts[0] if isinstance(contacts, list) and contacts and isinstance(contacts[0], dict) else {}
    # "held_for_quality_assessment", "paused", and words that are not known yet: the message is not on its way.
    is_held = first.get("message_status", "accepted") != "accepted"
    return Accepted(first["id"], held=is_held, person=person_of(contact.get("user_id"), contact.get("wa_id")))


def _meaning(error: Mapping[str, Any]) -> str:
    """Return Meta's words without the numbers of telephones, and the id by which Meta's support finds the call."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    words = [one for one in (error.get("message"), details) if isinstance(one, str) and one]
    trace = error.get("fbtrace_id")
    return masked("; ".join(dict.fromkeys(words))) + (f" (fbtrace_id {trace})" if isinstance(trace, str) else "")
