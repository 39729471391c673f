"""The daemon's three pages for machines: ``/healthz`` (alive), ``/readyz`` (can commit), ``/metrics`` (OpenMetrics).

They are meant for the loopback interface. They name no home and contain no secret, but no one outside needs them.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple, cast

from aiohttp import web

from vetlla.domain.errors import ConfigError
from vetlla.receiver.budget import VISITORS_MAX
from vetlla.receiver.monitoring.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

LIFE_S = 60.0
"""Longest time of a connection. A scraper that wants to keep one dials again; silent peers cannot keep one for ever."""
SHUTDOWN_S = 2.0
"""Longest time for which the end waits for a scrape under way; Prometheus asks again by itself."""


class Readiness(NamedTuple):
    """Whether reports can be committed and are therefore acknowledged; ``why`` is the reason if not, else empty."""

    ready: bool
    why: str = ""


class HttpServer:
    """Serves the three pages from the daemon's own loop, so that an answer proves that the loop runs."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._visitors: dict[_Visitor, asyncio.Transport] = {}
        """Open connections, oldest first."""

    async def start(
        self, host: str, port: int, *, readiness: Callable[[], Readiness], collect: Callable[[], bytes]
    ) -> None:
        """Listen; port 0 picks a free one. Raises ConfigError if the address cannot be used."""

        async def healthz(_: web.Request) -> web.Response:
            return web.Response(text="ok\n")

        async def readyz(_: web.Request) -> web.Response:
            now = readiness()
            return web.json_response(now._asdict(), status=200 if now.ready else 503, dumps=json.dumps)

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(body=collect(), headers={"Content-Type": CONTENT_TYPE})

        app = web.Application()
        app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            server = runner.server
            assert server is not None  # set up above
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Visitor(server(), self._visitors), host, port)
        except OSError as error:
            await runner.cleanup()
            raise ConfigError(
                f"http: cannot listen on {host}:{port}: {error.strerror}",
                remedy="choose a free port of an address of this machine (port 0 picks one)",
            ) from error
        self._runner = runner

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._runner is not None

    @property
    def port(self) -> int:
        """The port listened on; only after ``start``."""
        if self._runner is None:
            raise RuntimeError("not started")
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and let requests under way end; do nothing if it never started."""
        if self._runner is not None and self._server is not None:
            self._server.close()
            await self._runner.cleanup()
            self._runner = self._server = None


class _Visitor(asyncio.Protocol):
    """One connection of aiohttp's server, which counts against ``VISITORS_MAX`` and ends after ``LIFE_S``."""

    def __init__(self, served: asyncio.Protocol, visitors: dict[_Visitor, asyncio.Transport]) -> None:
        self._served = served
        self._visitors = visitors

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        while len(self._visitors) >= VISITORS_MAX:  # close the oldest one to make room
            self._visitors.pop(next(iter(self._visitors))).abort()
        self._visitors[self] = self._transport
        self._end = asyncio.get_running_loop().call_later(LIFE_S, self._transport.abort)
        self._served.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received()

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self._end.cancel()
        self._visitors.pop(self, None)
        self._served.connection_lost(error)
