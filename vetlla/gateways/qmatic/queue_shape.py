"""An appointment as Orchestra's queue side (``/rest/appointment``) writes it: a wall clock without an offset.

The fields are those that Qmatic's own concierge (stech-apps/concierge-agent) reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.appointments import Appointment, AppointmentKey, BookedService
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
from vetlla.gateways.qmatic.moments import moment_of, optional_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from zoneinfo import ZoneInfo


def queue_appointment(row: Mapping[str, Any], *, source: str, zone: ZoneInfo) -> Appointment:
    """Return the appointment of a row; ``zone`` is that of its office. Raises UnreadableFieldError.

    Its key is ``branch/number``, because a number counts only inside its branch.
    """
    branch, number = id_in(row, "branchId"), id_in(row, "id")
    custom, properties = custom_in(row), object_in(row, "properties")
    customers = objects_in(row, "customers")
    status, given = status_of(row.get("status"))
    phone, phone_given = phone_of(_phones(custom, properties, customers))
    try:
        start = moment_of(row.get("startTime"), zone)
    except ValueError as error:
        raise UnreadableFieldError(f"startTime {error}") from None
    return Appointment(
        key=AppointmentKey(source, f"{branch}/{number}"),
        office=branch,
        start=start,
        end=max(start, optional_moment(row.get("endTime"), zone) or start),
        zone=zone.key,
        status=status,
        status_given=given,
        services=tuple(_services(row)),
        phone=phone,
        phone_given=phone_given,
        language=language_in(custom) or language_in(properties),
        consented_at=None,
        updated_at=optional_moment(row.get("updateTime"), zone),
    )


def _phones(
    custom: Mapping[str, Any], properties: Mapping[str, Any], customers: list[Mapping[str, Any]]
) -> Iterator[str]:
    yield text_in(custom, "phoneNumber") or text_in(properties, "phoneNumber")
    if customers:
        yield text_in(customers[0], "phone")
    for customer in customers:
        yield text_in(object_in(customer, "properties"), "phoneNumber")


def _services(row: Mapping[str, Any]) -> Iterator[BookedService]:
    for service in objects_in(row, "services"):
        yield BookedService(text_in(service, "id"), text_in(service, "name"), may_cancel(custom_in(service)))
