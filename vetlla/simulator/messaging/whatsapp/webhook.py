"""What Meta's webhook tells, in the bytes that Meta sends, with its signature over them."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.clock import to_us
from vetlla.simulator.messaging.whatsapp.errors import told_later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.simulator.messaging.phones import Bubble, Phone
    from vetlla.simulator.messaging.whatsapp.orders import Order

Change = dict[str, Any]
"""One change of a delivery: a field and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAccount:
    """The city's number at Meta. None of its secrets is one."""

    phone_number_id: str = "106540352242922"
    business_id: str = "102290129340398"
    number: str = "34600000099"
    quality: str = "GREEN"
    token: str = field(default="simulated-token", repr=False)
    app_secret: str = field(default="simulated-secret", repr=False)
    verify_token: str = field(default="simulated-word", repr=False)


class Sent(NamedTuple):
    """A message that Meta took."""

    id: str
    phone: Phone
    order: Order


def delivery(account: CloudAccount, changes: Sequence[Change]) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one call of the webhook.

    Meta's JSON has escapes that Python's has not, so that a signature over JSON that was written again does not fit.
    """
    document = {
        "object": "whatsapp_business_account",
        "entry": [{"id": account.business_id, "changes": list(changes)}],
    }
    body = json.dumps(document, separators=(",", ":")).replace("/", r"\/").encode()
    signature = hmac.new(account.app_secret.encode(), body, "sha256").hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature": "sha1=" + hmac.new(account.app_secret.encode(), body, "sha1").hexdigest(),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return body, headers


def status_change(account: CloudAccount, sent: Sent, status: str, at: datetime, code: int | None = None) -> Change:
    """Return the report that a message was sent, delivered or read, or that it failed with a code."""
    told: dict[str, Any] = {
        "id": sent.id,
        "status": status,
        "timestamp": _seconds(at),
        "recipient_id": sent.phone.person if sent.phone.hides_number else sent.phone.number.removeprefix("+"),
        "recipient_user_id": sent.phone.person,
    }
    if sent.order.reference:
        told["biz_opaque_callback_data"] = sent.order.reference
    if code is not None:
        told["errors"] = [told_later(code)]
    elif status in {"sent", "delivered"}:
        # Since July 2025 Meta bills each delivered message, and since October 2026 free messages and templates alike.
        told["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "category": sent.order.content.category,
            "type": "regular",
        }
    return _messages(account, {"contacts": [_contact(sent.phone)], "statuses": [told]})


def text_change(account: CloudAccount, phone: Phone, bubble: Bubble) -> Change:
    """Return a citizen's words."""
    return _message(account, phone, bubble, {"type": "text", "text": {"body": bubble.text}})


def button_change(account: CloudAccount, phone: Phone, bubble: Bubble, payload: str, *, of_template: bool) -> Change:
    """Return a button that was pressed: of a template, or of a free message."""
    if of_template:
        return _message(account, phone, bubble, {"type": "button", "button": {"payload": payload, "text": bubble.text}})
    pressed = {"type": "button_reply", "button_reply": {"id": payload, "title": bubble.text}}
    return _message(account, phone, bubble, {"type": "interactive", "interactive": pressed})


def reaction_change(account: CloudAccount, phone: Phone, bubble: Bubble) -> Change:
    """Return a reaction to a message. One without an emoji takes the reaction back."""
    reaction = {"message_id": bubble.context} | ({"emoji": bubble.text} if bubble.text else {})
    return _message(account, phone, bubble, {"type": "reaction", "reaction": reaction})


def voice_change(account: CloudAccount, phone: Phone, bubble: Bubble) -> Change:
    """Return a voice message, whose sound is somewhere else."""
    audio = {"mime_type": "audio/ogg; codecs=opus", "sha256": "c2ltdWxhdGVk", "id": "1000000000001", "voice": True}
    return _message(account, phone, bubble, {"type": "audio", "audio": audio})


def template_change(id_: str, name: str, language: str, event: str, reason: str = "NONE") -> Change:
    """Return news about a template."""
    value = {
        "event": event,
        "message_template_id": int(id_),
        "message_template_name": name,
        "message_template_language": language,
        "reason": reason,
    }
    return {"value": value, "field": "message_template_status_update"}


def _message(account: CloudAccount, phone: Phone, bubble: Bubble, content: Mapping[str, Any]) -> Change:
    message: dict[str, Any] = {} if phone.hides_number else {"from": phone.number.removeprefix("+")}
    message |= {"from_user_id": phone.person, "id": bubble.id, "timestamp": _seconds(bubble.at), **content}
    if bubble.context and "reaction" not in content:
        message["context"] = {"from": account.number, "id": bubble.context}
    return _messages(account, {"contacts": [_contact(phone)], "messages": [message]})


def _messages(account: CloudAccount, parts: Mapping[str, Any]) -> Change:
    metadata = {"display_phone_number": account.number, "phone_number_id": account.phone_number_id}
    return {"value": {"messaging_product": "whatsapp", "metadata": metadata, **parts}, "field": "messages"}


def _contact(phone: Phone) -> dict[str, Any]:
    if phone.hides_number:
        return {"profile": {"name": phone.name, "username": "@nom"}, "user_id": phone.person}
    return {"profile": {"name": phone.name}, "wa_id": phone.number.removeprefix("+"), "user_id": phone.person}


def _seconds(at: datetime) -> str:
    return str(to_us(at) // 1_000_000)
