"""Writes appointments as Orchestra's queue side does: other names, and wall clocks without an offset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vetlla.simulator.qmatic.world import Booking, World

MINUTE = "%Y-%m-%dT%H:%M"


def row_of(booking: Booking, world: World) -> dict[str, Any]:
    """Return an appointment."""
    changed = datetime.fromtimestamp(booking.updated_ms / 1000, UTC)
    customers = [_customer(booking)] if booking.customer else []
    return {
        "id": booking.number,
        "branchId": booking.branch.id,
        "startTime": booking.start.astimezone(world.zone).strftime(MINUTE),
        "endTime": booking.end.astimezone(world.zone).strftime(MINUTE),
        "status": booking.status.name,
        "resourceName": f"Taula {booking.table}",
        "services": [{"id": one.id, "name": one.name} for one in booking.services],
        "customers": customers,
        "properties": {"notes": booking.notes},
        "updateTime": changed.astimezone(world.zone).strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _customer(booking: Booking) -> dict[str, Any]:
    customer = booking.customer
    assert customer is not None  # the caller looked
    return {
        "id": customer.id,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "properties": {"phoneNumber": booking.phone_of_booking or customer.phone, "email": customer.email},
    }
