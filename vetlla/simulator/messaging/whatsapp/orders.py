"""What a call asks Meta to send, checked as Meta checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.simulator.messaging.phones import QuickReply
from vetlla.simulator.messaging.whatsapp.errors import RefusedCall
from vetlla.simulator.messaging.whatsapp.templates import DAYS_30_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.simulator.messaging.whatsapp.templates import MetaTemplate

TEXT_MAX: Final = 4_096
"""Most characters of a free message."""
REFERENCE_MAX: Final = 512
"""Most characters of ``biz_opaque_callback_data``."""
_NUMBER: Final = re.compile(r"\+?[1-9][0-9]{5,14}")
_UNUSABLE: Final = {"PAUSED": 132015, "DISABLED": 132016}


class Content(NamedTuple):
    """What a citizen sees."""

    text: str
    buttons: tuple[QuickReply, ...] = ()
    is_template: bool = False
    category: str = "service"
    ttl_s: int = DAYS_30_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A message that Meta is to send."""

    given: str
    """The recipient as the call names it."""
    number: str
    """E.164; "" if ``to`` is no number."""
    person: str
    """WhatsApp's id of the recipient (BSUID)."""
    content: Content
    context: str = ""
    reference: str = ""


def order_of(body: Mapping[str, Any], templates: Mapping[tuple[str, str], MetaTemplate]) -> Order:
    """Return the message of a call. Raises RefusedCall."""
    if body.get("messaging_product") != "whatsapp":
        raise RefusedCall(100, "The parameter messaging_product is required.")
    given, person = _text(body, "to"), _text(body, "recipient")
    if not given and not person:
        raise RefusedCall(100, "The parameter to is required.")
    reference = _text(body, "biz_opaque_callback_data")
    if len(reference) > REFERENCE_MAX:
        raise RefusedCall(100, f"biz_opaque_callback_data has more than {REFERENCE_MAX} characters")
    compact = re.sub(r"[ ()\-]", "", given)
    return Order(
        given=given or person,
        number=f"+{compact.removeprefix('+')}" if _NUMBER.fullmatch(compact) else "",
        person="" if given else person,
        content=_content(body, templates),
        context=_text(_object(body, "context"), "message_id"),
        reference=reference,
    )


def _content(body: Mapping[str, Any], templates: Mapping[tuple[str, str], MetaTemplate]) -> Content:
    match body.get("type", "text"):
        case "template":
            return _of_template(_object(body, "template"), templates)
        case "text":
            return Content(_free(_text(_object(body, "text"), "body"), "text['body']"))
        case "interactive":
            return _interactive(_object(body, "interactive"))
    raise RefusedCall(131051, "Message type is currently not supported by this simulator")


def _of_template(wanted: Mapping[str, Any], templates: Mapping[tuple[str, str], MetaTemplate]) -> Content:
    name, language = _text(wanted, "name"), _text(_object(wanted, "language"), "code")
    if not name or not language:
        raise RefusedCall(131008, "template name and language code are required")
    template = templates.get((name, language))
    if template is not None and template.status in _UNUSABLE:
        raise RefusedCall(_UNUSABLE[template.status])
    if template is None or template.status != "APPROVED":
        raise RefusedCall(132001, f"template name ({name}) does not exist in {language}")
    components = [one for one in _list(wanted.get("components")) if isinstance(one, dict)]
    values: list[str] = []
    payloads = dict(enumerate(template.labels))
    for component in components:
        parameters = [one for one in _list(component.get("parameters")) if isinstance(one, dict)]
        match str(component.get("type", "")).lower():
            case "body":
                values += [_value(one) for one in parameters]
            case "button":
                payloads[_index(component, len(template.labels))] = _payload(parameters)
            case other:
                raise RefusedCall(132012, f"{other}: the template has no such component")
    return Content(
        text=template.filled(values),
        buttons=tuple(QuickReply(label, payloads[index]) for index, label in enumerate(template.labels)),
        is_template=True,
        category=template.category.lower(),
        ttl_s=template.ttl_s,
    )


def _value(parameter: Mapping[str, Any]) -> str:
    if parameter.get("type") != "text" or not _text(parameter, "text"):
        raise RefusedCall(132012, "body: parameter of the template is expected to be of type TEXT, and not empty")
    return _text(parameter, "text")


def _index(component: Mapping[str, Any], buttons: int) -> int:
    index = str(component.get("index", ""))
    is_quick = str(component.get("sub_type", "")).lower() == "quick_reply"
    if not is_quick or not index.isdecimal() or int(index) >= buttons:
        raise RefusedCall(132012, f"button: there is no quick reply at index {index or '?'} of the template")
    return int(index)


def _payload(parameters: Sequence[Mapping[str, Any]]) -> str:
    found = _text(parameters[0], "payload") if parameters else ""
    if not found:
        raise RefusedCall(131008, "button: the parameter payload is required")
    return found


def _interactive(wanted: Mapping[str, Any]) -> Content:
    if wanted.get("type") != "button":
        raise RefusedCall(131051, "Only interactive messages with buttons are supported by this simulator")
    replies = [
        _object(one, "reply") for one in _list(_object(wanted, "action").get("buttons")) if isinstance(one, dict)
    ]
    if not 1 <= len(replies) <= 3:
        raise RefusedCall(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
    buttons = tuple(QuickReply(_text(one, "title"), _text(one, "id")) for one in replies)
    return Content(_free(_text(_object(wanted, "body"), "text"), "body['text']"), buttons)


def _free(text: str, name: str) -> str:
    if not text:
        raise RefusedCall(100, f"The parameter {name} is required.")
    if len(text) > TEXT_MAX:
        raise RefusedCall(100, f"Param {name} must be at most {TEXT_MAX} characters long.")
    return text


def _object(held: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = held.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _text(held: Mapping[str, Any], name: str) -> str:
    found = held.get(name)
    return found if isinstance(found, str) else ""
