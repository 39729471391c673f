"""An appointment as Orchestra's calendar writes it.

The fields are those of recordings of a Dutch city's Orchestra (open-formulieren/open-forms), of the Basque Government's
client (AA14QMaticOrchestraMediator) and of Qmatic's own booking app (qmatic/orchestra-appointment-booking).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.gateways.qmatic.fields import (
    UnreadableFieldError,
    custom_in,
    id_in,
    language_in,
    may_cancel,
    object_in,
    objects_in,
    phone_of,
    status_of,
    text_in,
)
from vetlla.gateways.qmatic.moments import moment_of, optional_moment, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo


def calendar_appointment(row: Mapping[str, Any], *, source: str, office: str, zone: ZoneInfo) -> Appointment:
    """Return the appointment of a row. ``zone`` counts if the row's branch names none. Raises UnreadableFieldError."""
    zone = zone_in(object_in(row, "branch")) or zone
    custom = custom_in(row)
    customers = objects_in(row, "customers")
    status, given = status_of(row.get("status"))
    phone, phone_given = phone_of(_phones(custom, customers))
    start = _required_moment(row, "start", zone)
    return Appointment(
        key=AppointmentKey(source, id_in(row, "publicId")),
        office=office,
        start=start,
        end=max(start, optional_moment(row.get("end"), zone) or start),
        zone=zone.key,
        # Qmatic's booking app knows a row with ``deleted``, whatever its status says.
        status=AppointmentStatus.CANCELLED if row.get("deleted") is True else status,
        status_given=given,
        services=tuple(_services(row)),
        phone=phone,
        phone_given=phone_given,
        language=language_in(custom),
        consented_at=optional_moment(customers[0].get("consentTimestamp"), zone) if customers else None,
        updated_at=optional_moment(row.get("updated"), zone),
    )


def zone_in(branch: Mapping[str, Any]) -> ZoneInfo | None:
    """Return the time zone that a branch names; None if it names none that exists."""
    for name in ("timeZone", "fullTimeZone"):
        if (text := text_in(branch, name)) and (zone := zone_of(text)):
            return zone
    return None


def _required_moment(row: Mapping[str, Any], name: str, zone: ZoneInfo) -> datetime:
    try:
        return moment_of(row.get(name), zone)
    except ValueError as error:
        raise UnreadableFieldError(f"{name} {error}") from None


def _phones(custom: Mapping[str, Any], customers: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what may be the citizen's number: what the booking asked for, then the first customer, then the rest."""
    yield text_in(custom, "phoneNumber")
    if customers:
        yield text_in(customers[0], "phone")
    for customer in customers:
        yield text_in(object_in(customer, "properties"), "phoneNumber")


def _services(row: Mapping[str, Any]) -> Iterator[BookedService]:
    for service in objects_in(row, "services"):
        named = text_in(service, "publicId") or text_in(service, "id") or text_in(service, "qpId")
        yield BookedService(named, text_in(service, "name"), may_cancel(custom_in(service)))
