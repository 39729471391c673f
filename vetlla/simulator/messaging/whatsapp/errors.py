"""Errors of the Graph API, in Meta's words and shape (Meta, "Cloud API error codes")."""

from __future__ import annotations

import secrets
from typing import Any, Final, NamedTuple

from aiohttp import web

HREF: Final = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class MetaError(NamedTuple):
    """One of Meta's errors."""

    status: int
    """Of the answer, if the error is told at once."""
    title: str
    comes_later: bool = False
    """The message is accepted, and the webhook tells the error."""
    details: str = ""


ERRORS: Final = {
    0: MetaError(401, "AuthException"),
    1: MetaError(400, "API Unknown"),
    2: MetaError(503, "API Service"),
    3: MetaError(500, "API Method"),
    4: MetaError(400, "API Too Many Calls"),
    10: MetaError(403, "Permission Denied"),
    100: MetaError(400, "Invalid parameter"),
    190: MetaError(401, "Invalid OAuth access token - Cannot parse access token"),
    200: MetaError(403, "API Permission"),
    368: MetaError(403, "Temporarily blocked for policies violations"),
    80007: MetaError(400, "Rate limit issues"),
    130429: MetaError(429, "Rate limit hit", details="Cloud API message throughput has been reached."),
    130472: MetaError(400, "User's number is part of an experiment", comes_later=True),
    130497: MetaError(403, "Business account is restricted from messaging users in this country"),
    131000: MetaError(500, "Something went wrong"),
    131005: MetaError(403, "Access denied"),
    131008: MetaError(400, "Required parameter is missing"),
    131009: MetaError(400, "Parameter value is not valid"),
    131016: MetaError(500, "Service unavailable"),
    131021: MetaError(400, "Recipient cannot be sender"),
    131026: MetaError(400, "Message undeliverable", comes_later=True, details="Message Undeliverable."),
    131030: MetaError(400, "Recipient phone number not in allowed list"),
    131031: MetaError(403, "Account has been locked"),
    131037: MetaError(400, "WhatsApp provided number needs display name approval before message can be sent"),
    131042: MetaError(400, "Business eligibility payment issue", comes_later=True),
    131044: MetaError(400, "Business eligibility payment issue", comes_later=True),
    131045: MetaError(500, "Incorrect certificate"),
    131047: MetaError(
        400,
        "Re-engagement message",
        comes_later=True,
        details="Message failed to send because more than 24 hours have passed since the customer last replied to "
        "this number.",
    ),
    131048: MetaError(400, "Spam rate limit hit", comes_later=True),
    131049: MetaError(
        400,
        "This message was not delivered to maintain healthy ecosystem engagement.",
        comes_later=True,
        details="In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: MetaError(400, "User stopped marketing messages from this business", comes_later=True),
    131051: MetaError(400, "Unsupported message type"),
    131052: MetaError(400, "Media download error"),
    131053: MetaError(400, "Media upload error", comes_later=True),
    131056: MetaError(400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: MetaError(500, "Account in maintenance mode"),
    131062: MetaError(400, "Business-scoped user ID is not supported for this message"),
    131063: MetaError(400, "Template category is not supported"),
    131064: MetaError(400, "Messaging limit reached for template classification violations"),
    132000: MetaError(400, "Number of parameters does not match the expected number of params"),
    132001: MetaError(404, "Template name does not exist in the translation"),
    132005: MetaError(400, "Translated text too long"),
    132007: MetaError(400, "Template format character policy violated"),
    132008: MetaError(400, "Template parameter value is not valid"),
    132012: MetaError(400, "Parameter format does not match format in the created template"),
    132015: MetaError(400, "Template is paused"),
    132016: MetaError(400, "Template is disabled"),
    133016: MetaError(400, "Account register deregister rate limit exceeded"),
    135000: MetaError(400, "Generic user error"),
}
"""Codes that this API tells, or that a fault can name."""
OTHER: Final = MetaError(400, "Generic user error")
"""Any other code."""
BARE: Final = frozenset({0, 190})
"""Codes whose message does not repeat the code."""


class RefusedCall(Exception):  # noqa: N818 - it carries an answer
    """A call is refused with one of Meta's codes."""

    def __init__(self, code: int, details: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.details = details or error_of(code).details


def error_of(code: int) -> MetaError:
    """Return the error of a code."""
    return ERRORS.get(code, OTHER)


def refusal(code: int, details: str = "") -> web.Response:
    """Return the answer that tells an error."""
    found = error_of(code)
    error: dict[str, Any] = {
        "message": found.title if code in BARE else f"(#{code}) {found.title}",
        "type": "OAuthException",
        "code": code,
    }
    if details or found.details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details or found.details}
    error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
    headers = {}
    if found.status == 401:
        headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{found.title}"'
    return web.json_response({"error": error}, status=found.status, headers=headers)


def no_such_object(named: str) -> web.Response:
    """Return the answer for an id that is not one of this account."""
    words = (
        f"Unsupported post request. Object with ID '{named}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation"
    )
    error = {
        "message": words,
        "type": "GraphMethodException",
        "code": 100,
        "error_subcode": 33,
        "fbtrace_id": "A" + secrets.token_urlsafe(16),
    }
    return web.json_response({"error": error}, status=400)


def told_later(code: int, details: str = "") -> dict[str, Any]:
    """Return an error as a status of the webhook has it."""
    found = error_of(code)
    return {
        "code": code,
        "title": found.title,
        "message": found.title,
        "error_data": {"details": details or found.details or found.title},
        "href": HREF,
    }
