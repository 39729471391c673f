"""Switches for the appointments of the simulator, as the office would change them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vetlla.simulator.qmatic.answers import gone
from vetlla.simulator.qmatic.world import Status
from vetlla.simulator.web.bodies import body_of, text_of
from vetlla.simulator.web.switches import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.simulator.qmatic.desk import Desk
    from vetlla.simulator.qmatic.doors import Doors
    from vetlla.simulator.qmatic.world import Booking


class AdminApi:
    """The handlers of the switches."""

    def __init__(self, desk: Desk, doors: Doors) -> None:
        self._desk = desk
        self._doors = doors

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield its routes."""
        yield web.get(f"{ROOT}/offices", self.offices)
        yield web.get(f"{ROOT}/appointments", self.appointments)
        yield web.post(f"{ROOT}/appointments", self.book)
        yield web.patch(f"{ROOT}/appointments/{{public}}", self.change)
        yield web.delete(f"{ROOT}/appointments/{{public}}", self.cancel)
        yield web.delete(f"{ROOT}/sessions", self.forget)

    async def offices(self, _: web.Request) -> web.Response:
        """Show the offices: the ids by which both families know them."""
        rows = [{"id": one.id, "publicId": one.public_id, "name": one.name} for one in self._desk.world.branches]
        return web.json_response(rows)

    async def appointments(self, _: web.Request) -> web.Response:
        """Show all appointments, also cancelled ones."""
        return web.json_response([_shown(one) for one in self._desk.world.bookings.values()])

    async def book(self, request: web.Request) -> web.Response:
        """Book, also if no place is free: ``office``, ``start``, ``service``, ``phone``, ``language``."""
        body, world = await body_of(request), self._desk.world
        branch, service = world.branch(str(body.get("office", "1"))), world.service(text_of(body, "service") or "1")
        if branch is None or service is None:
            raise web.HTTPBadRequest(text="there is no such office or service")
        try:
            booking = world.book(
                branch,
                (service,),
                world.local(text_of(body, "start")),
                customer=world.customer(phone=None),
                phone_of_booking=text_of(body, "phone") or None,
                language=text_of(body, "language") or None,
                at_extra_table=True,
            )
        except ValueError:
            raise web.HTTPBadRequest(text="start must be a time, such as 2026-12-01T10:30") from None
        return web.json_response(_shown(booking), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change an appointment as the office would: ``status`` (a number of the calendar), ``start``, ``phone``."""
        body, booking = await body_of(request), self._booking(request)
        if booking is None:
            return gone(self._desk.faults)
        if start := text_of(body, "start"):
            failure = self._desk.move(booking, start, "")
            if failure is not None:
                return failure
        if "phone" in body:
            booking.phone_of_booking = text_of(body, "phone") or None
        if "status" in body:
            try:
                booking.status = Status(body["status"])
            except ValueError:
                raise web.HTTPBadRequest(text=f"status is one of {[int(one) for one in Status]}") from None
        self._desk.world.touch(booking)
        return web.json_response(_shown(booking))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel an appointment as the office would."""
        return self._desk.cancel(self._booking(request), "E142")

    async def forget(self, _: web.Request) -> web.Response:
        """End all sessions of ``SSOcookie``."""
        self._doors.forget()
        return web.Response(status=204)

    def _booking(self, request: web.Request) -> Booking | None:
        return self._desk.world.bookings.get(request.match_info["public"])


def _shown(booking: Booking) -> dict[str, Any]:
    return {
        "publicId": booking.public_id,
        "number": booking.number,
        "office": booking.branch.id,
        "start": booking.start.astimezone(UTC).isoformat(),
        "status": int(booking.status),
        "service": booking.services[0].public_id,
        "phone": booking.phone_of_booking or (booking.customer.phone if booking.customer else None),
        "language": booking.language,
    }
