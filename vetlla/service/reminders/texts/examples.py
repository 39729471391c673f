"""Invented appointments with which a text is previewed and measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.service.reminders.texts import dates
from vetlla.service.reminders.texts.offices import Naming
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.rendering import list_values, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.service.reminders.texts.rendering import Values
    from vetlla.service.reminders.texts.text import Text

ZONE: Final = "Europe/Madrid"
EXAMPLE: Final = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
"""A Tuesday, at 10.30 in Lleida."""
_LISTED: Final = 2
"""Appointments in the example of a list."""
_YEAR: Final = tuple(datetime(2026, 1, 1, 11, tzinfo=UTC) + timedelta(days=number) for number in range(365))


def appointment(office: str, service: str = "", start: datetime = EXAMPLE) -> Appointment:
    """Return an appointment without personal data."""
    return Appointment(
        key=AppointmentKey("example", "1"),
        office=office,
        start=start,
        end=start + timedelta(minutes=10),
        zone=ZONE,
        status=AppointmentStatus.CREATED,
        services=(BookedService(service, service),) if service else (),
    )


def longest_day(text: Text) -> datetime:
    """Return a moment of the year whose day and hour take the most characters, in the form that the text uses."""
    write = dates.day_and_hour if {Place.DIA, Place.QUAN} & set(text.places) else dates.short_day_and_hour
    return max(_YEAR, key=lambda at: len(write(dates.local(at, ZONE), text.language)))


def places_of_use(text: Text, directory: Directory) -> Iterator[tuple[str, str]]:
    """Yield each office and procedure, by their ids, for which the text can be used; the procedure may be ""."""
    offices = [text.office] if text.office else list(directory.offices)
    if text.service:
        services = [text.service]
    elif text.procedure:
        services = [one.id for one in directory.services.values() if one.naming is Naming.NAMED]
    else:
        services = [""]
    yield from ((office, service) for office in offices if office in directory.offices for service in services)


def example_values(text: Text, directory: Directory, office: str, service: str, start: datetime = EXAMPLE) -> Values:
    """Return the values of a text's places for an invented appointment. Raises ConfigError as ``values_of`` does."""
    one = appointment(office, service, start)
    if Place.LLISTA not in text.purpose.places:
        return values_of(one, directory, text.language)
    several = [appointment(office, service, start + timedelta(minutes=30 * number)) for number in range(_LISTED)]
    return list_values(several, directory, text.language)
