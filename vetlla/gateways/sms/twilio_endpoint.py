"""The address to which a gateway of Twilio's shape sends reports and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from vetlla.gateways.hooks import body_of, fields_of, keep
from vetlla.gateways.sms.twilio import REFERENCE, is_signed, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vetlla.gateways.received import Take


class TwilioEndpoint:
    """Takes signed calls. ``routes`` gives its handlers to the server of the process."""

    def __init__(self, *, public_url: str, token: str, now: Callable[[], datetime], take: Take) -> None:
        """Raise ValueError for an empty token, which everyone knows.

        ``public_url`` is the address as the gateway calls it, without a query: a proxy may change what arrives here.
        """
        if not token:
            raise ValueError("the reports of the SMS gateway need its token, with which they are signed")
        self._public_url = public_url
        self._token = token
        self._now = now
        self._take = take

    def routes(self, path: str) -> list[web.RouteDef]:
        """Return the handler of a path."""
        return [web.post(path, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        query = request.rel_url.raw_query_string
        url = f"{self._public_url}?{query}" if query else self._public_url
        if not is_signed(url, fields_of(body), request.headers.get("X-Twilio-Signature", ""), self._token):
            return web.Response(status=403)
        received = read(body, self._now(), reference=request.query.get(REFERENCE, ""))
        return await keep(self._take, body, received)
