"""Writes appointments, offices and procedures as Orchestra's calendar does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vetlla.simulator.qmatic.faults import Custom, TimeForm

if TYPE_CHECKING:
    from vetlla.simulator.qmatic.faults import OrchestraFaults
    from vetlla.simulator.qmatic.world import Booking, Branch, Customer, Service, World

KEPT = timedelta(days=30)
"""A citizen's data are deleted so long after the booking, as in the recordings."""


def row_of(booking: Booking, world: World, faults: OrchestraFaults, *, internal: bool) -> dict[str, Any]:
    """Return an appointment; the internal API also gives ``qpId`` and the number of its branch."""
    row: dict[str, Any] = {
        "publicId": booking.public_id,
        "status": int(booking.status),
        "title": booking.title,
        "notes": booking.notes,
        "allDay": False,
        "blocking": False,
        "start": time_of(booking.start, world, faults),
        "end": time_of(booking.end, world, faults),
        "created": booking.created_ms,
        "updated": booking.updated_ms,
        "numberOfCustomers": 1 + booking.companions,
        "customSlotLength": None,
        "custom": _custom(booking, faults),
        "resource": {"name": f"Taula {booking.table}", "custom": None},
        "services": [service_row(one) for one in booking.services],
        "customers": [
            *([_customer(booking.customer, booking)] if booking.customer else []),
            *([{}] * booking.companions),
        ],
        "branch": branch_row(booking.branch, world, numbered=internal and faults.names_branch),
    }
    return {"qpId": booking.number, **row} if internal else row


def time_of(at: datetime, world: World, faults: OrchestraFaults) -> str | int:
    """Return a time in the form that this installation writes."""
    match faults.time_form:
        case TimeForm.EPOCH:
            return int(at.timestamp() * 1000)
        case TimeForm.LOCAL:
            return at.astimezone(world.zone).strftime("%Y-%m-%dT%H:%M:%S")
        case TimeForm.COLON:
            return at.astimezone(UTC).isoformat(timespec="seconds")
    return _plain(at)


def branch_row(branch: Branch, world: World, *, numbered: bool) -> dict[str, Any]:
    """Return an office."""
    row: dict[str, Any] = {
        "publicId": branch.public_id,
        "name": branch.name,
        "timeZone": world.zone.key,
        "fullTimeZone": world.zone.key,
        "branchPrefix": None,
        "phone": None,
        "email": None,
        "addressLine1": "Carrer Inventat 1",
        "addressLine2": None,
        "addressZip": None,
        "addressCity": "Lleida",
        "addressState": None,
        "addressCountry": "Catalunya",
        "latitude": None,
        "longitude": None,
        "created": 0,
        "updated": 0,
        "custom": None,
    }
    return {"id": branch.id, **row} if numbered else row


def service_row(service: Service) -> dict[str, Any]:
    """Return a procedure; its ``custom`` is JSON inside a text."""
    return {
        "publicId": service.public_id,
        "name": service.name,
        "duration": 10,
        "additionalCustomerDuration": 5,
        "active": True,
        "publicEnabled": True,
        "created": 0,
        "updated": 0,
        "custom": json.dumps({"cancelEnabled": service.may_cancel, "rescheduleEnabled": True, "infoText": None}),
    }


def _custom(booking: Booking, faults: OrchestraFaults) -> str | None:
    match faults.custom:
        case Custom.NULL:
            return None
        case Custom.EMPTY:
            return ""
    held: dict[str, Any] = {"appId": "generic", "notificationType": "sms"}
    if booking.phone_of_booking:
        held["phoneNumber"] = booking.phone_of_booking
    if booking.language:
        held["lang"] = booking.language
    if faults.custom is Custom.BROKEN:
        return json.dumps(held, separators=(",", ":"))[:-1] + ',"notes":"una "nota" amb cometes"}'
    return json.dumps(held, separators=(",", ":"))


def _customer(customer: Customer, booking: Booking) -> dict[str, Any]:
    made = datetime.fromtimestamp(booking.created_ms / 1000, UTC)
    return {
        "publicId": customer.public_id,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "name": f"{customer.first_name} {customer.last_name}",
        "phone": customer.phone,
        "email": customer.email,
        "externalId": None,
        "identificationNumber": None,
        "dateOfBirth": None,
        "dateOfBirthWithoutTime": None,
        "addressLine1": None,
        "addressLine2": None,
        "addressZip": None,
        "addressCity": None,
        "addressState": None,
        "addressCountry": None,
        "created": booking.created_ms,
        "updated": None,
        "custom": None,
        "consentTimestamp": customer.consent_ms,
        "consentIdentifier": None,
        "retentionPolicy": "default",
        "lastInteractionTimestamp": _plain(made),
        "deletionTimestamp": _plain(made + KEPT),
    }


def _plain(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
