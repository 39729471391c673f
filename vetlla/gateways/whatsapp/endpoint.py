"""The webhook's address: it answers Meta's first visit, and takes the deliveries that Meta signed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiohttp import web

from vetlla.gateways.hooks import body_of, keep
from vetlla.gateways.whatsapp.proof import SIGNATURE, challenge_of, is_signed
from vetlla.gateways.whatsapp.webhook import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vetlla.gateways.received import Take


class WhatsAppEndpoint:
    """Takes deliveries for one number. ``routes`` gives its handlers to the server of the process."""

    def __init__(
        self,
        *,
        verify_token: str,
        app_secret: str,
        phone_number_id: str,
        now: Callable[[], datetime],
        take: Take,
        languages: Mapping[str, str] | None = None,
    ) -> None:
        """Raise ValueError for an empty word or secret, with which everyone could call.

        ``languages`` has Meta's code of each of our languages, as the account has it.
        """
        if not verify_token or not app_secret:
            raise ValueError("the webhook of WhatsApp needs a verify token and the secret of the app")
        self._verify_token = verify_token
        self._app_secret = app_secret
        self._phone_number_id = phone_number_id
        self._now = now
        self._take = take
        self._ours = {code: language for language, code in (languages or {}).items()}

    def routes(self, path: str) -> list[web.RouteDef]:
        """Return the handlers of a path."""
        return [web.get(path, self._verify, allow_head=False), web.post(path, self._receive)]

    async def _verify(self, request: web.Request) -> web.Response:
        challenge = challenge_of(request.query, self._verify_token)
        if challenge is None:
            return web.Response(status=403)
        return web.Response(text=challenge, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def _receive(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if not is_signed(body, request.headers.get(SIGNATURE, ""), self._app_secret):
            return web.Response(status=403)
        received = read(body, self._now(), phone_number_id=self._phone_number_id)
        notices = (replace(one, language=self._ours.get(one.language, one.language)) for one in received.notices)
        return await keep(self._take, body, replace(received, notices=tuple(notices)))
