"""The queue side of Orchestra, at its own path and at its alias: bare arrays, numbers as ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from vetlla.simulator.qmatic.answers import gone, refused
from vetlla.simulator.qmatic.desk import days_of
from vetlla.simulator.qmatic.queue_rows import row_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.simulator.qmatic.desk import Desk
    from vetlla.simulator.qmatic.world import Booking

ROOTS: Final = ("/rest/appointment", "/qsystem/rest/appointment")
GONE: Final = "8057"


class QueueApi:
    """The handlers of the queue side."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._world = desk.world

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield its routes."""
        for root in ROOTS:
            one = f"{root}/branches/{{branch}}/appointments/{{number}}"
            yield web.get(f"{root}/appointments/search", self.appointments)
            yield web.get(f"{root}/appointments/external/{{external}}", self.external)
            yield web.get(f"{root}/branches", self.branches)
            yield web.get(f"{root}/branches/{{branch}}/services", self.services)
            yield web.get(one, self.one)
            yield web.delete(one, self.cancel)
            yield web.post(f"{one}/events/{{event}}", self.event)

    async def appointments(self, request: web.Request) -> web.Response:
        """List the appointments of a branch; both days are included."""
        branch = self._world.branch(request.query.get("branchId", ""))
        if branch is None:
            return refused(404, "8001", "Branch not found")
        first, last = days_of(request, "fromDate", "toDate", self._world.today)
        rows = [row_of(one, self._world) for one in self._desk.listed(branch, first, last)]
        return web.json_response(self._desk.cut(rows, "startTime"))

    async def one(self, request: web.Request) -> web.Response:
        """Show an appointment."""
        return self._shown(self._booking(request))

    async def external(self, request: web.Request) -> web.Response:
        """Show an appointment by the id that another system gave it: here the calendar's."""
        return self._shown(self._world.bookings.get(request.match_info["external"]))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel an appointment."""
        return self._desk.cancel(self._booking(request), GONE)

    async def event(self, request: web.Request) -> web.Response:
        """Take an event for the statistics, and do nothing with it."""
        return web.Response(status=204) if self._booking(request) else gone(self._desk.faults, GONE)

    async def branches(self, _: web.Request) -> web.Response:
        """List the offices."""
        return web.json_response([{"id": one.id, "name": one.name} for one in self._world.branches])

    async def services(self, _: web.Request) -> web.Response:
        """List the procedures; every office has all of them."""
        return web.json_response([{"id": one.id, "name": one.name} for one in self._world.services])

    def _shown(self, booking: Booking | None) -> web.Response:
        if booking is None or not self._desk.shows(booking):
            return gone(self._desk.faults, GONE)
        return web.json_response(row_of(booking, self._world))

    def _booking(self, request: web.Request) -> Booking | None:
        found = self._world.numbered(request.match_info["number"])
        return found if found and str(found.branch.id) == request.match_info["branch"] else None
