"""The daemon's three pages for machines: ``/healthz`` (alive), ``/readyz`` (can commit), ``/metrics`` (OpenMetrics).

Meant for the loopback interface: nothing here names a home, and nothing here is a secret, but nobody outside needs it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from vetlla.errors import ConfigError
from vetlla.receiver.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

SHUTDOWN_S = 2.0
"""How long a scrape under way may hold up the end: Prometheus asks again by itself."""


class Readiness(NamedTuple):
    """Whether reports can be committed and are therefore acknowledged; ``why`` says what is wrong, or is empty."""

    ready: bool
    why: str = ""


class HttpServer:
    """Serves the three pages from the daemon's own loop: an answer proves that the loop turns."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None

    async def start(
        self, host: str, port: int, *, readiness: Callable[[], Readiness], collect: Callable[[], bytes]
    ) -> None:
        """Listen; port 0 picks one. Raises ConfigError when the address cannot be had."""

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
            await web.TCPSite(runner, host, port).start()
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
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and let what is under way end; nothing happens when it never started."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
