"""News about templates, the number and the account, as the webhook has them: each is a field of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.masking import masked
from vetlla.gateways.received import ChannelNotice, NoticeKind
from vetlla.gateways.whatsapp.fields import Object, a_list, a_text, a_time, an_object
from vetlla.gateways.whatsapp.people import person_of, phone_of
from vetlla.gateways.whatsapp.statuses import fault_of

if TYPE_CHECKING:
    from datetime import datetime

FIELDS: Final = {
    "message_template_status_update": NoticeKind.TEMPLATE,
    "message_template_quality_update": NoticeKind.TEMPLATE_QUALITY,
    "template_category_update": NoticeKind.TEMPLATE_CATEGORY,
    "phone_number_quality_update": NoticeKind.NUMBER_QUALITY,
    "phone_number_name_update": NoticeKind.NUMBER_NAME,
    "account_update": NoticeKind.ACCOUNT,
    "account_review_update": NoticeKind.ACCOUNT,
    "account_alerts": NoticeKind.ACCOUNT,
    "business_capability_update": NoticeKind.ACCOUNT,
    "user_preferences": NoticeKind.PREFERENCE,
}
"""Fields of the webhook that are read, besides ``messages``."""
_EVENTS: Final = ("event", "new_category", "new_quality_score", "decision", "alert_type")
"""Names of the word of each field, in the order in which they are tried."""
_DETAILS: Final = (
    "reason", "previous_category", "correct_category", "previous_quality_score", "current_limit", "old_limit",
    "max_daily_conversation_per_phone", "max_daily_conversations_per_business", "requested_verified_name",
    "rejection_reason", "alert_severity", "alert_status", "alert_description", "ban_info", "restriction_info",
    "violation_info", "disable_info", "other_info", "lock_info",
)  # fmt: skip
"""What is told beside the word."""


def notices_of(name: str, value: Object, received_at: datetime) -> list[ChannelNotice]:
    """Return the news of one field."""
    kind = FIELDS[name]
    if kind is NoticeKind.PREFERENCE:
        return [_preference(an_object(one), received_at) for one in a_list(value.get("user_preferences"))]
    event = next((a_text(value[one]) for one in _EVENTS if a_text(value.get(one))), name)
    details = [f"{one}: {_words(value[one])}" for one in _DETAILS if value.get(one) and value[one] != "NONE"]
    return [
        ChannelNotice(
            kind=kind,
            at=a_time(value.get("timestamp"), received_at),
            event=event,
            template=a_text(value.get("message_template_name")),
            language=a_text(value.get("message_template_language")),
            detail=masked("; ".join(details)),
            phone=phone_of(value.get("display_phone_number"), value.get("phone_number")),
        )
    ]


def error_notice(error: Object, received_at: datetime) -> ChannelNotice:
    """Return an error that belongs to no message."""
    code, detail = fault_of({"errors": [error]})
    return ChannelNotice(kind=NoticeKind.ERROR, at=received_at, event="error", code=code, detail=detail)


def _preference(one: Object, received_at: datetime) -> ChannelNotice:
    return ChannelNotice(
        kind=NoticeKind.PREFERENCE,
        at=a_time(one.get("timestamp"), received_at),
        event=a_text(one.get("value")),
        detail=a_text(one.get("category")),
        phone=phone_of(one.get("wa_id")),
        person=person_of(one.get("user_id"), one.get("wa_id")),
    )


def _words(value: Any) -> str:  # noqa: ANN401 - whatever a webhook holds
    """Return an object such as ``{"waba_ban_state": "DISABLE"}`` in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return a_text(value)
