"""Sends messages by the WhatsApp Business Cloud API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.messages import Channel
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.whatsapp.request import accepted_of, body_of
from vetlla.gateways.whatsapp.templates import NumberState, TemplateState, next_page, templates_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.messages import Accepted, Outgoing
    from vetlla.gateways.http import HttpCaller

PAGES: Final = 50
"""Most pages of a list of templates; an account may have 250 templates, and a page has 100."""
_NUMBER_FIELDS: Final = "quality_rating,status"
_FIELDS: Final = "name,language,status,category,message_send_ttl_seconds,rejected_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppAccount:
    """The city's number at Meta."""

    phone_number_id: str
    """Meta's id of the number, not the number itself."""
    token: str = field(repr=False)
    """Of a system user, with the permissions ``whatsapp_business_messaging`` and ``whatsapp_business_management``."""
    business_id: str = ""
    """Id of the WhatsApp Business Account, to list its templates; "" if they are not looked at."""
    base_url: str = "https://graph.facebook.com"
    version: str = "v26.0"
    languages: Mapping[str, str] = field(default_factory=lambda: {"ca": "ca", "es": "es"})
    """The code under which the templates of each language were approved."""


class WhatsAppGateway:
    """The channel WhatsApp: templates at any time, free text within 24 hours of a person's message."""

    channel = Channel.WHATSAPP

    def __init__(self, name: str, account: WhatsAppAccount, http: HttpCaller) -> None:
        self.name = name
        self._account = account
        self._http = http

    async def send(self, message: Outgoing) -> Accepted:
        """Send a message. Meta has no key against doubles: a second call sends a second message.

        Raises RefusedError with Meta's code, OutcomeUnknownError, or LinkError if nothing was sent.
        """
        body = body_of(message, self._account.languages)
        return accepted_of(
            await self._http.call(
                "POST", self._url(self._account.phone_number_id, "messages"), headers=self._headers(), body=body
            )
        )

    async def number(self) -> NumberState:
        """Return how Meta rates the number. Raises LinkError, or RefusedError with Meta's code."""
        answer = await self._get(self._url(self._account.phone_number_id), {"fields": _NUMBER_FIELDS})
        return NumberState(quality=str(answer.get("quality_rating", "")), status=str(answer.get("status", "")))

    async def templates(self) -> list[TemplateState]:
        """Return all templates of the account with their states. Raises LinkError, or RefusedError with Meta's code."""
        found: list[TemplateState] = []
        query = {"fields": _FIELDS, "limit": "100"}
        for _ in range(PAGES):
            answer = await self._get(self._url(self._account.business_id, "message_templates"), query)
            if not isinstance(answer.get("data"), list):
                raise OutcomeUnknownError("the list of templates cannot be read")
            found += templates_of(answer)
            after = next_page(answer)
            if not after:
                return found
            query["after"] = after
        raise RefusedError(f"the list of templates does not end after {PAGES} pages")

    async def _get(self, url: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        answer = await self._http.call("GET", url, headers=self._headers(), query=query)
        document = answer.json()
        if answer.status == 200 and isinstance(document, dict) and "error" not in document:
            return document
        accepted_of(answer)  # raises with Meta's error
        raise OutcomeUnknownError("WhatsApp's answer cannot be read")

    def _url(self, *parts: str) -> str:
        return "/".join((self._account.base_url.rstrip("/"), self._account.version, *parts))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._account.token}"}
