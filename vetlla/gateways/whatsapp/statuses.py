"""What happened to a message of ours, as the webhook has it.

    {"id": "wamid...", "status": "sent | delivered | read | failed", "timestamp", "recipient_id", "recipient_user_id",
     "biz_opaque_callback_data", "pricing": {"billable", "pricing_model", "category", "type"},
     "errors": [{"code", "title", "message", "error_data": {"details"}, "href"}]}

Statuses come in any order and several times, ``read`` without ``delivered``, and a failure after a delivery. The
reason of a failure is told here only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.masking import masked
from vetlla.domain.messages import Delivery, DeliveryReport
from vetlla.gateways.whatsapp.fields import Object, a_list, a_text, a_time, an_object
from vetlla.gateways.whatsapp.people import person_of, phone_of
from vetlla.gateways.whatsapp.replies import Contacts, UnreadableError

if TYPE_CHECKING:
    from datetime import datetime

_DELIVERIES: Final = {
    "accepted": Delivery.ACCEPTED,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "played": Delivery.READ,  # a voice message was heard; we send none
    "failed": Delivery.FAILED,
}


def report_of(status: Object, contacts: Contacts, received_at: datetime) -> DeliveryReport:
    """Return a report. Raises UnreadableError if it names no message, or a status that is not known."""
    provider_id, name = a_text(status.get("id")), a_text(status.get("status")).lower()
    if not provider_id:
        raise UnreadableError("the status names no message")
    if name not in _DELIVERIES:
        raise UnreadableError("the status is not one that is known")
    given = (status.get("recipient_id"), status.get("recipient_user_id"))
    phone, person = contacts.complete(phone_of(*given), person_of(*given))
    pricing = an_object(status.get("pricing"))
    billable = pricing.get("billable")
    code, detail = fault_of(status)
    return DeliveryReport(
        provider_id=provider_id,
        delivery=_DELIVERIES[name],
        at=a_time(status.get("timestamp"), received_at),
        reference=a_text(status.get("biz_opaque_callback_data")),
        code=code,
        detail=detail,
        phone=phone,
        person=person,
        category=a_text(pricing.get("category")),
        is_billable=billable if isinstance(billable, bool) else None,
    )


def fault_of(around: Object) -> tuple[str, str]:
    """Return code and words of the first error; the words are without numbers of telephones."""
    for error in map(an_object, a_list(around.get("errors"))):
        details = an_object(error.get("error_data")).get("details")
        words = [a_text(one) for one in (error.get("title"), error.get("message"), details)]
        told = masked("; ".join(dict.fromkeys(word for word in words if word)))
        href = a_text(error.get("href"))
        return a_text(error.get("code")), f"{told} ({href})" if href else told
    return "", ""
