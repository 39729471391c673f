"""SMS by an HTTP gateway of Twilio's shape.

    POST /2010-04-01/Accounts/{sid}/Messages.json   To, From | MessagingServiceSid, Body, StatusCallback, ValidityPeriod
    201 {"sid": "SM...", "status": "queued", "error_code": null}
    400 {"code": 21610, "message": "...", "status": 400}

    callback: MessageSid, MessageStatus, To, ErrorCode          reply: MessageSid, From, To, Body, NumMedia
    X-Twilio-Signature: base64(HMAC-SHA1(token, address + each name and value, sorted by name))

The address of the callback carries our reference, so a report that arrives before the answer of the call is known too.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from vetlla.domain.failures import FailureTable, failure_table_of
from vetlla.domain.masking import masked
from vetlla.domain.messages import Accepted, Channel, Delivery, DeliveryReport, IncomingReply, ReplyKind
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.hooks import fields_of
from vetlla.gateways.received import Received, Unread
from vetlla.gateways.sms.numbers import recipient, sender

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.messages import Outgoing
    from vetlla.gateways.http import Answer, HttpCaller

LONGEST_USEFUL_S: Final = 36_000
"""Most seconds of Twilio's ``ValidityPeriod``."""
REFERENCE: Final = "reference"
"""Name of our reference in the address of the callback."""
_DELIVERIES: Final = {
    "accepted": Delivery.ACCEPTED,
    "scheduled": Delivery.ACCEPTED,
    "queued": Delivery.ACCEPTED,
    "sending": Delivery.ACCEPTED,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """The account at the gateway."""

    sid: str
    token: str = field(repr=False)
    sender: str = ""
    """The number that citizens see and answer, such as ``+34600000099``."""
    service: str = ""
    """``MessagingServiceSid``, instead of a sender."""
    callback_url: str = ""
    """Public address of our ``TwilioEndpoint``; "" for no reports."""
    base_url: str = "https://api.twilio.com"


class TwilioGateway:
    """The channel SMS by Twilio, or by a provider with the same interface."""

    channel = Channel.SMS

    def __init__(self, name: str, account: TwilioAccount, http: HttpCaller) -> None:
        self.name = name
        self._account = account
        self._http = http

    async def send(self, message: Outgoing) -> Accepted:
        """Send a text; the gateway cuts it into parts. There is no key against doubles.

        Raises RefusedError with the gateway's code, OutcomeUnknownError, or LinkError if nothing was sent.
        """
        account = self._account
        url = f"{account.base_url.rstrip('/')}/2010-04-01/Accounts/{quote(account.sid, safe='')}/Messages.json"
        answer = await self._http.call("POST", url, form=self._form(message), user=(account.sid, account.token))
        return accepted_of(answer)

    def _form(self, message: Outgoing) -> dict[str, str]:
        if not message.text:
            raise RefusedError("an SMS needs a text")
        account = self._account
        form = {"To": recipient(message.phone), "Body": message.text}
        form |= {"MessagingServiceSid": account.service} if account.service else {"From": account.sender}
        if account.callback_url:
            mark = "&" if "?" in account.callback_url else "?"
            form["StatusCallback"] = f"{account.callback_url}{mark}{REFERENCE}={quote(message.reference, safe='')}"
        if message.useful_s:
            form["ValidityPeriod"] = str(min(max(message.useful_s, 1), LONGEST_USEFUL_S))
        return form


def accepted_of(answer: Answer) -> Accepted:
    """Return what the gateway accepted.

    Raises RefusedError with the gateway's code, or with ``HTTP-404`` and the like. Raises OutcomeUnknownError if a
    server failed (5xx; 503 says that the call was not carried out), or if a success has no id.
    """
    document = answer.json()
    told: dict[str, Any] = document if isinstance(document, dict) else {}
    if answer.status >= 500 and answer.status != 503:
        raise OutcomeUnknownError(f"the SMS gateway answered HTTP {answer.status}")
    if not 200 <= answer.status < 300:
        code = told.get("code")
        words = masked(str(told.get("message", "")))
        raise RefusedError(
            f"the SMS gateway refused the message: HTTP {answer.status} {words}".rstrip(),
            code=str(code) if isinstance(code, int) else f"HTTP-{answer.status}",
            remedy="docs/reminders-channels.md says what each code means",
            retry_after_s=answer.retry_after_s,
        )
    if _DELIVERIES.get(str(told.get("status"))) is Delivery.FAILED:
        raise RefusedError("the SMS gateway refused the message at once", code=str(told.get("error_code") or ""))
    sid = told.get("sid")
    if not isinstance(sid, str) or not sid:
        raise OutcomeUnknownError("the SMS gateway answered with success and without the id of the message")
    return Accepted(sid)


def is_signed(url: str, fields: Sequence[tuple[str, str]], signature: str, token: str) -> bool:
    """Return True if the gateway signed this address, as it called it, and these fields of the form."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    wanted = b64encode(hmac.digest(token.encode(), text.encode("utf-8", "replace"), "sha1"))
    return hmac.compare_digest(signature.strip().encode("utf-8", "replace"), wanted)


def read(body: bytes, received_at: datetime, *, reference: str = "") -> Received:
    """Return the report or the reply of a call of the gateway; what is neither is kept as unread."""
    form = dict(fields_of(body))
    provider_id = form.get("MessageSid") or form.get("SmsSid") or ""
    status = form.get("MessageStatus", "").lower()
    if provider_id and status in _DELIVERIES:
        return Received(
            reports=(
                DeliveryReport(
                    provider_id=provider_id,
                    delivery=_DELIVERIES[status],
                    at=received_at,
                    reference=reference,
                    code=form.get("ErrorCode", ""),
                    detail=masked(form.get("ErrorMessage", "")),
                    phone=sender(form.get("To", "")),
                ),
            )
        )
    phone = sender(form.get("From", ""))
    if provider_id and "Body" in form and not status and phone:
        return Received(replies=(_reply(form, provider_id, phone, received_at),))
    reason = "the sender cannot be answered" if "Body" in form and not phone else "it is neither a report nor a reply"
    return Received(unread=(Unread("", reason, body.decode("utf-8", "replace")),))


def _reply(form: dict[str, str], provider_id: str, phone: str, received_at: datetime) -> IncomingReply:
    is_picture = not form["Body"].strip() and form.get("NumMedia", "0") not in {"", "0"}
    return IncomingReply(
        provider_id=provider_id,
        channel=Channel.SMS,
        at=received_at,
        kind=ReplyKind.OTHER if is_picture else ReplyKind.TEXT,
        phone=phone,
        text=form["Body"],
        context=form.get("OriginalRepliedMessageSid", ""),
    )


def failure_table() -> FailureTable:
    """Return the table of Twilio's codes that is installed: ``twilio_errors.csv`` beside this file."""
    return failure_table_of(files(__package__).joinpath("twilio_errors.csv").read_text(encoding="utf-8"))
