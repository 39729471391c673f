"""The simulated Cloud API as a server: who is let in, its paths, and the first visit of the webhook."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.faults import WHATSAPP_CALL, WhatsAppFaults
from vetlla.simulator.messaging.switches import PhoneSwitches
from vetlla.simulator.messaging.whatsapp.errors import RefusedCall, refusal
from vetlla.simulator.messaging.whatsapp.sending import Sending, is_told_later
from vetlla.simulator.messaging.whatsapp.shelf import TemplateShelf
from vetlla.simulator.messaging.whatsapp.state import CloudState
from vetlla.simulator.messaging.whatsapp.webhook import CloudAccount
from vetlla.simulator.messaging.whatsapp.writing import Writing
from vetlla.simulator.web.server import SimulatedServer
from vetlla.simulator.web.switches import FaultSwitches
from vetlla.simulator.web.way import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from types import TracebackType

    from vetlla.simulator.messaging.phones import PhoneBook
    from vetlla.simulator.messaging.whatsapp.templates import MetaTemplate

SUBSCRIBE_S: Final = 1.0
"""Seconds between two first visits of an address that does not answer rightly yet."""


class WhatsAppCloud(SimulatedServer[WhatsAppFaults]):
    """The Cloud API for one number of one account. It listens while it is entered as a context."""

    def __init__(
        self,
        book: PhoneBook,
        *,
        account: CloudAccount | None = None,
        templates: Iterable[Mapping[str, Any]] = (),
        faults: WhatsAppFaults | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Prepare to listen. ``templates`` are approved already; each is as Meta's API takes it. Raises RefusedCall."""
        super().__init__(host=host, port=port)
        self.account = account or CloudAccount()
        self._state = CloudState(book, self.account, faults or WhatsAppFaults())
        self._shelf = TemplateShelf(self._state)
        self.citizens = Writing(self._state)
        """Lets citizens write."""
        for one in templates:
            self._shelf.keep(one, "APPROVED")

    @property
    def faults(self) -> WhatsAppFaults:
        """How it behaves."""
        return self._state.faults

    @faults.setter
    def faults(self, faults: WhatsAppFaults) -> None:
        self._state.faults = faults

    @property
    def callback_url(self) -> str:
        """Address of the webhook; "" before the first visit succeeded."""
        return self._state.callback_url

    @callback_url.setter
    def callback_url(self, url: str) -> None:
        self._state.callback_url = url

    @property
    def templates(self) -> Mapping[tuple[str, str], MetaTemplate]:
        """All templates, by name and language."""
        return self._state.templates

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of the API and of the switches."""
        version = r"/{version:v\d+\.\d+}"
        yield web.post(f"{version}/{{object}}/messages", Sending(self._state).send)
        yield from self._shelf.routes(version)
        yield from PhoneSwitches(self._state.book, self.citizens).routes()
        yield from FaultSwitches(self).routes()

    async def answered(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        faults: WhatsAppFaults,
    ) -> web.StreamResponse:
        """Return the answer to a call: Meta's, or that of a server on the way."""
        if faults.status:
            return web.Response(status=faults.status)
        WHATSAPP_CALL.set(faults)
        try:
            self._admit(request, faults)
            return await handler(request)
        except RefusedCall as refused:
            self._state.book.happened(
                "refused", channel=Channel.WHATSAPP, detail=f"{refused.code} {refused.details}".rstrip()
            )
            return refusal(refused.code, refused.details)
        except web.HTTPBadRequest:
            return refusal(100, "The body is not a JSON object.")

    def _admit(self, request: web.Request, faults: WhatsAppFaults) -> None:
        """Let a caller in who has the token, unless a fault refuses everyone. Raises RefusedCall."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.query.get(
            "access_token", ""
        )
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.account.token.encode()):
            raise RefusedCall(190)
        if faults.code is not None and not is_told_later(faults.code, faults):
            raise RefusedCall(faults.code)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and stop calling the webhook."""
        await self._state.callback.close()
        await super().__aexit__(kind, error, trace)

    async def subscribe(self, url: str) -> bool:
        """Visit an address for the first time, as Meta does before it takes one. Return False if it is refused."""
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.account.verify_token}
        status, text = await self._state.callback.get(url, query)
        is_right = status == 200 and text == challenge
        if is_right:
            self._state.callback_url = url
        self._state.book.happened("webhook", channel=Channel.WHATSAPP, detail=f"{status or 'no answer'}, first visit")
        return is_right

    @property
    def is_subscribed(self) -> bool:
        """True when the webhook has answered the first visit rightly."""
        return bool(self._state.callback_url)

    def keep_visiting(self, url: str) -> None:
        """Visit an address until it answers rightly, as a person does who sets the webhook up."""

        async def visit() -> None:
            if not await self.subscribe(url):
                self._state.book.agenda.later(SUBSCRIBE_S, visit)

        self._state.book.agenda.soon(visit)
