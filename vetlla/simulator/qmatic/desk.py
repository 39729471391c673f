"""What both families of the API share: the world, the faults, and changes of appointments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from aiohttp import web

from vetlla.simulator.qmatic.answers import gone, refused, taken, used
from vetlla.simulator.qmatic.world import Customer, Status, TakenError
from vetlla.simulator.web.bodies import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.simulator.qmatic.faults import OrchestraFaults
    from vetlla.simulator.qmatic.world import Booking, Branch, World

BEGUN = frozenset({Status.ARRIVED, Status.CALLED, Status.COMPLETE})


@dataclass(slots=True)
class Desk:
    """The state of one simulated Orchestra."""

    world: World
    faults: OrchestraFaults

    def listed(self, branch: Branch, first: date, last: date) -> list[Booking]:
        """Return the appointments of a list, with the faults that lists have."""
        if self.faults.empty_list:
            return []
        return [one for one in self.world.of(branch, first, last) if self.shows(one)]

    def cut(self, rows: list[dict[str, Any]], *start: str) -> list[dict[str, Any]]:
        """Return the rows of a list without those that are hidden, and with some whose start is damaged."""
        kept = rows[: len(rows) - self.faults.hidden] if self.faults.hidden else rows
        for row in kept[: self.faults.bad_rows]:
            row.update(dict.fromkeys(start, "demà al matí"))
        return kept

    def shows(self, booking: Booking) -> bool:
        """Return False for an appointment that no longer exists for a caller."""
        return self.faults.cancelled_stay or booking.status is not Status.CANCELLED

    def cancel(self, booking: Booking | None, code: str) -> web.Response:
        """Cancel an appointment and return the answer; ``code`` is this family's code for one that does not exist."""
        if booking is None or booking.status is Status.CANCELLED:
            return gone(self.faults, code)
        if booking.status in BEGUN:
            return used()
        booking.status = Status.CANCELLED
        self.world.touch(booking)
        return web.Response(status=204)

    def move(self, booking: Booking, start: str, end: str) -> web.Response | None:
        """Move an appointment; return the answer if it cannot be moved."""
        if booking.status in BEGUN:
            return used()
        try:
            self.world.move(booking, self.world.local(start), self.world.local(end) if end else None)
        except ValueError:
            return refused(400, message="start and end must be times")
        except TakenError:
            return taken(self.faults)
        return None

    def customer_of(self, body: dict[str, Any]) -> Customer | None:
        """Return the citizen that a booking names, under ``customer`` or as the first of ``customers``."""
        held = body.get("customer") or next(iter(_list(body.get("customers"))), None)
        if not isinstance(held, dict):
            return None
        return self.world.customer(
            phone=text_of(held, "phone") or None,
            first_name=text_of(held, "firstName") or "Nom",
            last_name=text_of(held, "lastName") or "Cognom",
            email=text_of(held, "email") or None,
        )


def days_of(request: web.Request, first: str, last: str, today: date) -> tuple[date, date]:
    """Return the days that a query names, from ``today`` to the end of time if it names none."""
    try:
        begin, end = request.query.get(first, ""), request.query.get(last, "")
        return (
            date.fromisoformat(begin[:10]) if begin else today,
            date.fromisoformat(end[:10]) if end else date.max,
        )
    except ValueError:
        raise web.HTTPBadRequest(text=f"{first} and {last} must be days") from None


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
