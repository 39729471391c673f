"""An HTTP server on loopback that keeps what it is sent, and answers as a test says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence


@dataclass
class Heard:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass
class ScriptServer:
    """Keeps the requests. ``answer`` makes the answer of each; ``None`` closes the connection without one."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)
    answer: Callable[[Heard], web.Response | Awaitable[web.Response | None] | None] = lambda _: web.Response(text="")

    async def handle(self, request: web.Request) -> web.Response:
        heard = Heard(request.method, request.path, dict(request.headers), dict(request.query), await request.read())
        self.heard.append(heard)
        given = self.answer(heard)
        answer = given if isinstance(given, web.Response) or given is None else await given
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


@asynccontextmanager
async def serving(routes: Sequence[web.RouteDef], *, port: int = 0) -> AsyncIterator[str]:
    """Serve routes during the block. Yield the address without a slash at its end."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def script_server() -> AsyncIterator[ScriptServer]:
    """Run a server during the block."""
    server = ScriptServer()
    async with serving([web.route("*", "/{tail:.*}", server.handle)]) as server.url:
        yield server
