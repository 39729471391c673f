"""The calendar of Orchestra: its public API (v1, v2) and its internal API, directly and through the gateway."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from vetlla.simulator.qmatic.answers import gone, refused, taken, wrapped
from vetlla.simulator.qmatic.calendar_rows import branch_row, row_of, service_row
from vetlla.simulator.qmatic.desk import days_of
from vetlla.simulator.qmatic.world import Status, TakenError
from vetlla.simulator.web.bodies import body_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.simulator.qmatic.desk import Desk
    from vetlla.simulator.qmatic.world import Booking, Branch, Service

ROOTS: Final = ("/calendar-backend", "/rest/calendar-backend")
MATRIX: Final = "{matrix:(;[^/]*)?}"
"""Orchestra takes some parameters as ``;servicePublicId=…`` behind a part of the path."""


class CalendarApi:
    """The handlers of the calendar."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._world = desk.world

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of both APIs."""
        for root in ROOTS:
            yield from self._internal(f"{root}/api/v1")
            for version in ("v1", "v2"):
                yield from self._public(f"{root}/public/api/{version}")

    def _internal(self, root: str) -> Iterable[web.RouteDef]:
        yield web.get(f"{root}/appointments", self.appointments)
        yield web.get(f"{root}/appointments/search", self.by_number)
        yield web.get(f"{root}/appointments/publicid/{{public}}", self.internal_one)
        yield web.get(f"{root}/branches", self.internal_branches)
        yield web.get(f"{root}/branches/{{branch}}/services", self.services)

    def _public(self, root: str) -> Iterable[web.RouteDef]:
        slot = f"{root}/branches/{{branch}}/dates/{{day}}/times/{{hour}}"
        yield web.get(f"{root}/branches", self.public_branches)
        yield web.get(f"{root}/services", self.services)
        yield web.get(f"{root}/services/groups{MATRIX}", self.services)
        yield web.get(f"{root}/branches/{{branch}}/services", self.services)
        yield web.get(f"{root}/branches/{{branch}}/dates{MATRIX}", self.dates)
        yield web.get(f"{root}/branches/{{branch}}/dates/{{day}}/times{MATRIX}", self.times)
        yield web.post(f"{slot}/reserve", self.reserve)
        yield web.post(f"{slot}/book", self.book)
        for way in ("appointments", "branches/appointments"):
            yield web.post(f"{root}/{way}/{{public}}/confirm", self.confirm)
        yield web.get(f"{root}/appointments/{{public}}", self.public_one)
        yield web.put(f"{root}/appointments/{{public}}", self.update)
        yield web.delete(f"{root}/appointments/{{public}}", self.cancel)
        yield web.put(f"{root}/appointments/{{public}}/reschedule", self.reschedule)
        yield web.get(f"{root}/customers/{{customer}}/appointments", self.of_customer)

    async def appointments(self, request: web.Request) -> web.Response:
        """List the appointments of a branch."""
        branch = self._world.branch(request.query.get("branch", ""))
        if branch is None:
            return refused(404, "E101", "Branch not found")
        first, last = days_of(request, "start", "end", self._world.today)
        found = [self._row(one, internal=True) for one in self._desk.listed(branch, first, last)]
        return wrapped(
            "appointmentList",
            self._desk.cut(found, "start"),
            total=len(found),
            start=request.query.get("start", ""),
            end=request.query.get("end", ""),
        )

    async def by_number(self, request: web.Request) -> web.Response:
        """Find an appointment by the number that the queue side has for it."""
        return self._one(self._world.numbered(request.query.get("qpId", "")), internal=True)

    async def internal_one(self, request: web.Request) -> web.Response:
        """Show an appointment."""
        return self._one(self._booking(request), internal=True)

    async def public_one(self, request: web.Request) -> web.Response:
        """Show an appointment."""
        return self._one(self._booking(request), internal=False)

    async def of_customer(self, request: web.Request) -> web.Response:
        """List the appointments of a citizen."""
        named = request.match_info["customer"]
        rows = [
            self._row(one, internal=False)
            for one in self._world.bookings.values()
            if one.customer and one.customer.public_id == named and self._desk.shows(one)
        ]
        return wrapped("appointmentList", rows, total=len(rows))

    async def internal_branches(self, _: web.Request) -> web.Response:
        """List the offices with their numbers."""
        return self._branches(numbered=True)

    async def public_branches(self, _: web.Request) -> web.Response:
        """List the offices."""
        return self._branches(numbered=False)

    async def services(self, _: web.Request) -> web.Response:
        """List the procedures; every office has all of them."""
        rows = [service_row(one) for one in self._world.services]
        return wrapped("serviceList", rows, total=len(rows))

    async def dates(self, request: web.Request) -> web.Response:
        """List the days on which an hour is free, as wall clocks without an offset."""
        branch = self._branch(request)
        booked = {one.start.astimezone(self._world.zone).date() for one in self._world.bookings.values()}
        found = [f"{day.isoformat()}T00:00:00" for day in sorted(booked) if self._world.free(branch, day)]
        return wrapped("dates", found, total=len(found))

    async def times(self, request: web.Request) -> web.Response:
        """List the hours of a day that are free, as wall clocks."""
        free = self._world.free(self._branch(request), _day(request))
        found = [at.astimezone(self._world.zone).strftime("%H:%M") for at in free]
        return wrapped("times", found, total=len(found))

    async def reserve(self, request: web.Request) -> web.Response:
        """Hold a slot, which is no booking before ``confirm``."""
        return await self._book(request, Status.RESERVED, 200)

    async def book(self, request: web.Request) -> web.Response:
        """Book a slot in one step."""
        return await self._book(request, Status.CREATED, self._desk.faults.booked_status)

    async def confirm(self, request: web.Request) -> web.Response:
        """Turn a reservation into a booking. It does not mean that the citizen will come."""
        booking = self._booking(request)
        if booking is None or booking.status is not Status.RESERVED:
            return gone(self._desk.faults)
        self._fill(booking, await body_of(request))
        booking.status = Status.CREATED
        return self._one(booking, internal=False)

    async def update(self, request: web.Request) -> web.Response:
        """Change title, notes, citizen and ``custom``."""
        booking = self._booking(request)
        if booking is None or not self._desk.shows(booking):
            return gone(self._desk.faults)
        self._fill(booking, await body_of(request))
        return self._one(booking, internal=False)

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel an appointment: 204 and no body, as recorded."""
        return self._desk.cancel(self._booking(request), "E142")

    async def reschedule(self, request: web.Request) -> web.Response:
        """Move an appointment to another hour."""
        booking = self._booking(request)
        if booking is None or not self._desk.shows(booking):
            return gone(self._desk.faults)
        failure = self._desk.move(booking, request.query.get("start", ""), request.query.get("end", ""))
        return failure or self._one(booking, internal=False)

    def _one(self, booking: Booking | None, *, internal: bool) -> web.Response:
        if booking is None or not self._desk.shows(booking):
            return gone(self._desk.faults)
        return wrapped("appointment", self._row(booking, internal=internal))

    def _row(self, booking: Booking, *, internal: bool) -> dict[str, Any]:
        return row_of(booking, self._world, self._desk.faults, internal=internal)

    def _branches(self, *, numbered: bool) -> web.Response:
        rows = [branch_row(one, self._world, numbered=numbered) for one in self._world.branches]
        return wrapped("branchList", rows, total=len(rows))

    async def _book(self, request: web.Request, status: Status, code: int) -> web.Response:
        body = await body_of(request)
        named = body.get("services")
        services = self._services(named if isinstance(named, list) else [])
        if not services:
            return refused(400, "E101", "Service not found")
        day, hour = _day(request), request.match_info["hour"]
        try:
            at = self._world.local(f"{day.isoformat()}T{hour}")
            booking = self._world.book(self._branch(request), services, at, status=status)
        except ValueError:
            return refused(400, message="the hour is no hour")
        except TakenError:
            return taken(self._desk.faults)
        self._fill(booking, body)
        answer = self._one(booking, internal=False)
        answer.set_status(code)
        return answer

    def _fill(self, booking: Booking, body: dict[str, Any]) -> None:
        booking.title = text_of(body, "title") or booking.title
        booking.notes = text_of(body, "notes") or booking.notes
        booking.customer = self._desk.customer_of(body) or booking.customer
        try:
            custom = json.loads(text_of(body, "custom") or "{}")
        except ValueError:
            custom = {}
        if isinstance(custom, dict):
            booking.phone_of_booking = text_of(custom, "phoneNumber") or booking.phone_of_booking
            booking.language = text_of(custom, "lang") or booking.language
        self._world.touch(booking)

    def _services(self, named: list[Any]) -> tuple[Service, ...]:
        ids = [str(one.get("publicId", one.get("id", ""))) for one in named if isinstance(one, dict)]
        return tuple(found for one in ids if (found := self._world.service(one)))

    def _booking(self, request: web.Request) -> Booking | None:
        return self._world.bookings.get(request.match_info["public"])

    def _branch(self, request: web.Request) -> Branch:
        branch = self._world.branch(request.match_info["branch"])
        if branch is None:
            raise web.HTTPNotFound
        return branch


def _day(request: web.Request) -> date:
    try:
        return datetime.fromisoformat(request.match_info["day"]).date()
    except ValueError:
        raise web.HTTPBadRequest(text="the day is no day") from None
