"""The simulated Orchestra as a server: who is let in, what goes wrong on the way, and both families behind it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from aiohttp import web

from vetlla.domain.errors import ConfigError
from vetlla.simulator.qmatic.admin_api import ROOT, AdminApi
from vetlla.simulator.qmatic.answers import login_page, refused
from vetlla.simulator.qmatic.calendar_api import CalendarApi
from vetlla.simulator.qmatic.desk import Desk
from vetlla.simulator.qmatic.doors import COOKIE, LOOPBACK, Doors
from vetlla.simulator.qmatic.faults import OrchestraFaults
from vetlla.simulator.qmatic.queue_api import QueueApi
from vetlla.simulator.qmatic.world import World, invented

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

CALLS_KEPT: Final = 1_000
"""Last calls that are remembered for people and tests."""
MAX_BODY: Final = 1 << 20
"""Most bytes of the body of a request."""
SHUTDOWN_S: Final = 1.0
"""Longest time for which the end waits for calls under way."""


class _Kept(NamedTuple):
    until: float
    status: int
    body: bytes
    content_type: str


class Orchestra:
    """A simulated Orchestra that listens, while it is entered as a context."""

    def __init__(
        self,
        world: World | None = None,
        *,
        faults: OrchestraFaults | None = None,
        doors: Doors | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Prepare to listen; port 0 picks a free one."""
        self.world = world or invented()
        self.doors = doors or Doors()
        self.calls: deque[tuple[str, str, int]] = deque(maxlen=CALLS_KEPT)
        """Method, path and status of the last calls; 0 for one that had no answer."""
        self._desk = Desk(self.world, faults or OrchestraFaults())
        self._host, self._wanted = host, port
        self._kept: dict[str, _Kept] = {}
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def faults(self) -> OrchestraFaults:
        """How it behaves; assign to its fields, or assign another value."""
        return self._desk.faults

    @faults.setter
    def faults(self, faults: OrchestraFaults) -> None:
        self._desk.faults = faults
        self._kept.clear()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen. Raises ConfigError if the address cannot be used."""
        app = web.Application(middlewares=[self._gate], client_max_size=MAX_BODY)
        for api in (
            CalendarApi(self._desk),
            QueueApi(self._desk),
            AdminApi(self._desk, self.doors, self.calls),
        ):
            app.add_routes(api.routes())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"cannot listen on {self._host}:{self._wanted}: {error.strerror}",
                remedy="choose a free port of an address of this machine (port 0 picks one)",
            ) from error
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; calls under way have no answer."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _gate(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith(ROOT):
            return await handler(request)
        faults = self._desk.faults.of_call(request.method)
        if faults.delay_s:
            await self._pause(faults.delay_s)
        if faults.cut_before:
            return self._cut(request)
        answer = self._stopped(request, faults) or await self._answer(request, handler)
        if faults.cut_after:
            return self._cut(request)
        if faults.silent_after:
            self.calls.append((request.method, request.path, 0))
            await self._closing.wait()
            return answer
        if faults.not_json and isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        self.calls.append((request.method, request.path, answer.status))
        return answer

    def _stopped(self, request: web.Request, faults: OrchestraFaults) -> web.Response | None:
        """Return the answer to a call that never reaches Orchestra; None for one that does."""
        if faults.status:
            return refused(faults.status, faults.error_code)
        if faults.redirect:
            return web.Response(status=302, headers={"Location": "/login"})
        if faults.login_page:
            return login_page()
        if faults.needs_referer and request.method != "GET" and not request.headers.get("Referer"):
            return refused(403)
        return None

    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        is_in, session = self.doors.admit(request)
        if not is_in:
            return refused(401)
        answer = self._cached(request) or await self._handled(request, handler)
        if session:
            answer.set_cookie(COOKIE, session, httponly=True)
        return answer

    async def _handled(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=error.text)
        stale_s = self._desk.faults.stale_s
        if stale_s and request.method == "GET" and isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            until = asyncio.get_running_loop().time() + stale_s
            self._kept[self._key(request)] = _Kept(until, answer.status, answer.body, answer.content_type)
        return answer

    def _cached(self, request: web.Request) -> web.Response | None:
        """Return what the gateway's cache has for a path."""
        kept = self._kept.get(self._key(request)) if request.method == "GET" and self._desk.faults.stale_s else None
        if kept is None or asyncio.get_running_loop().time() >= kept.until:
            return None
        return web.Response(status=kept.status, body=kept.body, content_type=kept.content_type)

    def _key(self, request: web.Request) -> str:
        return request.path if self._desk.faults.stale_ignores_query else request.path_qs

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _cut(self, request: web.Request) -> web.Response:
        self.calls.append((request.method, request.path, 0))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
