"""Bodies that providers send to us: how much of one is read, and what the provider is answered if it cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from aiohttp import ClientError, web

from vetlla.domain.errors import VetllaError

if TYPE_CHECKING:
    from vetlla.gateways.received import Received, Take

BODY_BYTES: Final = 4 << 20
"""Most bytes of a request. Meta's deliveries have up to 3 MB; all others are smaller."""


async def body_of(request: web.Request) -> bytes:
    """Return the raw body.

    Raises HTTPRequestEntityTooLarge for one above the bound, and HTTPBadRequest if only a part of it came.
    """
    body = bytearray()
    try:
        async for chunk in request.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > BODY_BYTES:
                raise web.HTTPRequestEntityTooLarge(max_size=BODY_BYTES, actual_size=len(body))
    except (ConnectionError, ClientError) as error:  # the caller went away: nothing of ours is at fault
        raise web.HTTPBadRequest from error
    return bytes(body)


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form, in their order."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


async def keep(take: Take, body: bytes, received: Received) -> web.Response:
    """Return 200 when what was received is on the disk, and 503 if it is not, so that the provider repeats it."""
    try:
        await take(body, received)
    except VetllaError:
        return web.Response(status=503)
    return web.Response(text="")
