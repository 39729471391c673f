"""The answers of the gateway, its calls of a callback, and its signature."""

from __future__ import annotations

import hmac
from base64 import b64encode
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from vetlla.domain.segments import segments_of
from vetlla.simulator.messaging.callback import Post

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

API: Final = "2010-04-01"


class GatewayError(NamedTuple):
    """One of the gateway's errors."""

    status: int
    """Of the answer, if the error is told at once."""
    message: str
    comes_later: bool = False
    """The message is accepted, and a report tells the error."""


ERRORS: Final = {
    14107: GatewayError(429, "SMS send rate limit exceeded"),
    20003: GatewayError(401, "Authenticate"),
    20404: GatewayError(404, "The requested resource was not found"),
    20429: GatewayError(429, "Too Many Requests"),
    20503: GatewayError(503, "Service unavailable"),
    21211: GatewayError(400, "The 'To' number is not a valid phone number."),
    21408: GatewayError(
        400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number."
    ),
    21602: GatewayError(400, "Message body is required."),
    21603: GatewayError(400, "A 'From' phone number is required."),
    21604: GatewayError(400, "A 'To' phone number is required."),
    21606: GatewayError(400, "The 'From' phone number provided is not a valid, message-capable phone number."),
    21610: GatewayError(400, "Attempt to send to unsubscribed recipient"),
    21611: GatewayError(429, "This 'From' number has exceeded the maximum number of queued messages"),
    21614: GatewayError(400, "'To' number is not a valid mobile number"),
    21617: GatewayError(400, "The concatenated message body exceeds the 1600 character limit"),
    30001: GatewayError(400, "Queue overflow", comes_later=True),
    30002: GatewayError(400, "Account suspended", comes_later=True),
    30003: GatewayError(400, "Unreachable destination handset", comes_later=True),
    30005: GatewayError(400, "Unknown destination handset", comes_later=True),
    30006: GatewayError(400, "Landline or unreachable carrier", comes_later=True),
    30007: GatewayError(400, "Carrier violation", comes_later=True),
    30008: GatewayError(400, "Unknown error", comes_later=True),
    30036: GatewayError(400, "Validity Period Expired", comes_later=True),
    30410: GatewayError(400, "Provider timeout error", comes_later=True),
}
"""Codes that this gateway tells, or that a fault can name (Twilio, "Error and warning dictionary")."""
OTHER: Final = GatewayError(400, "Unknown error", comes_later=True)
"""Any other code."""


class RefusedSms(Exception):  # noqa: N818 - it carries an answer
    """A call is refused with one of the gateway's codes."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAccount:
    """The city's account at the gateway. Its token is no secret."""

    sid: str = "AC00000000000000000000000000000001"
    token: str = field(default="simulated-token", repr=False)
    number: str = "+34600000099"
    service: str = "MG00000000000000000000000000000001"
    """``MessagingServiceSid``, which stands for the number."""


@dataclass(slots=True, kw_only=True)
class SmsSent:
    """A message that the gateway took."""

    sid: str
    to: str
    text: str
    at: datetime
    has_service: bool = False
    callback: str = ""
    validity_s: int = 36_000
    status: str = "queued"
    code: int = 0


def error_of(code: int) -> GatewayError:
    """Return the error of a code."""
    return ERRORS.get(code, OTHER)


def refusal(code: int) -> web.Response:
    """Return the answer that tells an error."""
    found = error_of(code)
    body = {
        "code": code,
        "message": found.message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": found.status,
    }
    return web.json_response(body, status=found.status)


def shown(account: GatewayAccount, sent: SmsSent) -> dict[str, Any]:
    """Return a message as the gateway's API has it."""
    uri = f"/{API}/Accounts/{account.sid}/Messages/{sent.sid}"
    is_on_its_way = sent.status in {"sent", "delivered", "undelivered"}
    return {
        "account_sid": account.sid,
        "api_version": API,
        "body": sent.text,
        "date_created": format_datetime(sent.at),
        "date_sent": format_datetime(sent.at) if is_on_its_way else None,
        "date_updated": format_datetime(sent.at),
        "direction": "outbound-api",
        "error_code": sent.code or None,
        "error_message": error_of(sent.code).message if sent.code else None,
        "from": None if sent.has_service else account.number,
        "messaging_service_sid": account.service if sent.has_service else None,
        "num_media": "0",
        "num_segments": str(segments_of(sent.text).segments),
        "price": None,
        "price_unit": "USD",
        "sid": sent.sid,
        "status": sent.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": sent.to,
        "uri": f"{uri}.json",
    }


def report(account: GatewayAccount, sent: SmsSent) -> Post:
    """Return the call that tells the state of a message."""
    fields = {
        "ApiVersion": API,
        "MessageStatus": sent.status,
        "SmsSid": sent.sid,
        "SmsStatus": sent.status,
        "To": sent.to,
        "From": account.number,
        "MessageSid": sent.sid,
        "AccountSid": account.sid,
    }
    if sent.code:
        fields["ErrorCode"] = str(sent.code)
        fields["ErrorMessage"] = error_of(sent.code).message
    if sent.has_service:
        fields["MessagingServiceSid"] = account.service
    return _signed(sent.callback, fields, account.token)


def incoming(account: GatewayAccount, url: str, sid: str, sender: str, text: str) -> Post:
    """Return the call that tells a citizen's message."""
    fields = {
        "ToCountry": "ES",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": text,
        "FromCountry": "ES",
        "To": account.number,
        "ToZip": "",
        "NumSegments": str(segments_of(text).segments),
        "MessageSid": sid,
        "AccountSid": account.sid,
        "From": sender,
        "ApiVersion": API,
    }
    return _signed(url, fields, account.token)


def _signed(url: str, fields: Mapping[str, str], token: str) -> Post:
    """Return a call whose signature covers the whole address, and the fields in the order of their names."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signature = b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode("ascii")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": signature,
    }
    return Post(url, urlencode(fields).encode(), headers)
