"""What a form asks the gateway to send, checked as the gateway checks it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.simulator.messaging.sms.shapes import RefusedSms, SmsSent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.simulator.messaging.sms.shapes import GatewayAccount

TEXT_MAX: Final = 1_600
"""Most characters of a message."""
VALIDITY_MAX_S: Final = 36_000
_E164: Final = re.compile(r"\+[1-9][0-9]{7,14}")


def sent_of(form: Mapping[str, object], account: GatewayAccount, sid: str, at: datetime) -> SmsSent:
    """Return the message of a form. Raises RefusedSms."""
    to, body, service = (str(form.get(name, "")) for name in ("To", "Body", "MessagingServiceSid"))
    sender, validity = str(form.get("From", "")), str(form.get("ValidityPeriod", ""))
    for is_wrong, code in (
        (not to, 21604),
        (not _E164.fullmatch(to), 21211),
        (not sender and not service, 21603),
        (bool(service) and service != account.service, 20404),
        (not service and sender != account.number, 21606),
        (not body, 21602),
        (len(body) > TEXT_MAX, 21617),
    ):
        if is_wrong:
            raise RefusedSms(code)
    return SmsSent(
        sid=sid,
        to=to,
        text=body,
        at=at,
        has_service=bool(service),
        callback=str(form.get("StatusCallback", "")),
        validity_s=int(validity) if validity.isdecimal() else VALIDITY_MAX_S,
        status="accepted" if service else "queued",
    )
