"""What a caller sent: JSON objects and their texts, bounded."""

from __future__ import annotations

import json
from typing import Any, Final

from aiohttp import web

MOST_TEXT: Final = 2_000
"""Most characters of a text that a caller gives."""


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a request; an empty one if it has none."""
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError:
        raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text="the body is no object")
    return found


def text_of(held: dict[str, Any], name: str) -> str:
    """Return a text of an object, bounded; "" if it has none."""
    found = held.get(name)
    return found[:MOST_TEXT] if isinstance(found, str) else ""
