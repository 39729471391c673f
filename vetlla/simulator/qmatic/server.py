"""The simulated Orchestra as a server: who is let in, what its gateway answers instead, and both families behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from vetlla.simulator.qmatic.admin_api import AdminApi
from vetlla.simulator.qmatic.answers import login_page, refused
from vetlla.simulator.qmatic.calendar_api import CalendarApi
from vetlla.simulator.qmatic.desk import Desk
from vetlla.simulator.qmatic.doors import COOKIE, Doors
from vetlla.simulator.qmatic.faults import OrchestraFaults
from vetlla.simulator.qmatic.queue_api import QueueApi
from vetlla.simulator.qmatic.world import World, invented
from vetlla.simulator.web.server import SimulatedServer
from vetlla.simulator.web.switches import FaultSwitches
from vetlla.simulator.web.way import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable


class _Kept(NamedTuple):
    until: float
    status: int
    body: bytes
    content_type: str


class Orchestra(SimulatedServer[OrchestraFaults]):
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
        super().__init__(host=host, port=port)
        self.world = world or invented()
        self.doors = doors or Doors()
        self._desk = Desk(self.world, faults or OrchestraFaults())
        self._kept: dict[str, _Kept] = {}

    @property
    def faults(self) -> OrchestraFaults:
        """How it behaves."""
        return self._desk.faults

    @faults.setter
    def faults(self, faults: OrchestraFaults) -> None:
        self._desk.faults = faults
        self._kept.clear()

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of both families and of the switches."""
        yield from CalendarApi(self._desk).routes()
        yield from QueueApi(self._desk).routes()
        yield from AdminApi(self._desk, self.doors).routes()
        yield from FaultSwitches(self).routes()

    async def answered(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        faults: OrchestraFaults,
    ) -> web.StreamResponse:
        """Return the answer to a call, of the gateway or of Orchestra."""
        return self._stopped(request, faults) or await self._answer(request, handler)

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
