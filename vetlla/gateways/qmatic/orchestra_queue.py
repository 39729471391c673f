"""Appointments of Orchestra's queue side (``/rest/appointment``), for installations that expose only that.

Its list is a bare array with other names, and its hours are the office's wall clock. No public client cancels on this
side: Qmatic's own concierge finds the same appointment in the calendar by ``qpId`` and deletes it there, and so does
this source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import CancelOutcome, RefusedError
from vetlla.gateways.qmatic.calendar_shape import calendar_appointment
from vetlla.gateways.qmatic.cancelling import cancel_once
from vetlla.gateways.qmatic.client import QmaticClient
from vetlla.gateways.qmatic.fields import UnreadableFieldError, is_id, object_in
from vetlla.gateways.qmatic.moments import ZONE, configured_zone
from vetlla.gateways.qmatic.queue_shape import queue_appointment
from vetlla.gateways.qmatic.reading import Asked, poll_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.contracts import Poll
    from vetlla.gateways.qmatic.client import Connection

THROUGH_GATEWAY: Final = "/rest/appointment"
DIRECT: Final = "/qsystem/rest/appointment"
CALENDAR: Final = "/rest/calendar-backend"
LONG_AGO: Final = "2000-01-01"
"""A day without appointments, to learn whether the path exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """One queue side of Orchestra."""

    name: str
    """Name of this source; appointments are remembered by it."""
    connection: Connection
    root: str = THROUGH_GATEWAY
    """Path of the API; ``DIRECT`` without an alias or a gateway."""
    calendar_root: str = CALENDAR
    """Path of the calendar, in which appointments are cancelled. "" if the city exposes none: then the DELETE goes to
    the queue side, which must be tried at the installation first."""
    zone: str = ZONE
    """IANA name of the time zone of its offices."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Office -> time zone, for offices in another one."""


class OrchestraQueue:
    """A source of appointments; see ``AppointmentSource``. An office is the numeric id of a branch."""

    def __init__(self, settings: QueueSettings) -> None:
        self.name = settings.name
        self._root = settings.root
        self._calendar = settings.calendar_root
        self._zone = configured_zone(settings.name, settings.zone)
        self._zones = {office: configured_zone(settings.name, name) for office, name in settings.zones.items()}
        self._client = QmaticClient(settings.connection)
        self._path_is_known = False

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of a branch from ``first`` to ``last``, both included. Raises LinkError.

        It asks for one day more, because no source says whether ``toDate`` is included.
        """
        beyond = last + timedelta(days=1)
        path = f"{self._root}/appointments/search"
        query = {"branchId": office, "fromDate": first.isoformat(), "toDate": beyond.isoformat()}
        rows = await self._client.get_json(path, query)
        if not isinstance(rows, list):
            raise LinkError(f"{path} gives JSON that is no list", remedy="check the path: is it the queue side's API?")
        self._path_is_known = True
        wanted = [row for row in rows if not _starts_with(row, f"{beyond.isoformat()}T")]
        return poll_of(Asked(office, first, last), wanted, self._appointment)

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment as it is now; None if Orchestra has it no longer. Raises LinkError."""
        if not _is_key(key.id):
            return None
        path = self._path(key)
        answer = await self._client.get(path)
        complaint = answer.complaint
        if complaint.is_gone:
            if not complaint.code:
                await self._check_path(key.id.partition("/")[0])
            return None
        row = self._client.json_of(path, answer)
        if not isinstance(row, dict):
            raise LinkError(f"{self._root} gives JSON without an appointment", remedy="check the path of the API")
        try:
            appointment = self._appointment(row)
        except ValueError as error:
            raise LinkError(f"{self._root} gives an appointment that cannot be read: {error}") from None
        if appointment.key != key:
            raise LinkError(f"{self._root} gives another appointment", remedy="switch the gateway's cache off")
        return appointment

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment, with one DELETE. Raises RefusedError, OutcomeUnknownError, or LinkError."""
        if not _is_key(key.id):
            raise LinkError("the id of the appointment is not branch/number", remedy="was it imported from a file?")
        if not self._calendar:
            return await cancel_once(self._client, self._path(key), key, self.get)
        there = await self.get(key)
        if there is None or there.status is AppointmentStatus.CANCELLED:
            return CancelOutcome.GONE
        same = await self._in_calendar(key, there)
        if not all(service.may_cancel for service in same.services):
            raise RefusedError(
                "the calendar allows no cancellation of this procedure",
                code="cancelEnabled",
                remedy="the citizen calls the office",
            )
        path = f"{self._calendar}/public/api/v1/appointments/{same.key.id}"
        return await cancel_once(self._client, path, key, self.get)

    async def _in_calendar(self, key: AppointmentKey, there: Appointment) -> Appointment:
        """Return an appointment as the calendar has it. Raises LinkError if the calendar has none, or another one."""
        path = f"{self._calendar}/api/v1/appointments/search"
        found = await self._client.get_json(path, {"qpId": key.id.partition("/")[2]})
        row = object_in(found if isinstance(found, dict) else {}, "appointment")
        zone = self._zones.get(there.office, self._zone)
        try:
            same = calendar_appointment(row, source=self.name, office=there.office, zone=zone)
        except UnreadableFieldError as error:
            raise LinkError(f"{path} gives no appointment: {error}", remedy="check calendar_root") from None
        if same.start != there.start:
            raise LinkError(f"{path} gives an appointment of another hour", remedy="check the zone of the office")
        return same

    def _appointment(self, row: Mapping[str, Any]) -> Appointment:
        zone = self._zones.get(str(row.get("branchId")), self._zone)
        return queue_appointment(row, source=self.name, zone=zone)

    def _path(self, key: AppointmentKey) -> str:
        branch, _, number = key.id.partition("/")
        return f"{self._root}/branches/{branch}/appointments/{number}"

    async def _check_path(self, office: str) -> None:
        """Raise LinkError if the API does not exist at this path: its 404 would look like a missing appointment."""
        if self._path_is_known:
            return
        query = {"branchId": office, "fromDate": LONG_AGO, "toDate": LONG_AGO}
        await self._client.get_json(f"{self._root}/appointments/search", query)
        self._path_is_known = True


def _is_key(text: str) -> bool:
    branch, slash, number = text.partition("/")
    return bool(slash) and is_id(branch) and is_id(number)


def _starts_with(row: object, start: str) -> bool:
    found = row.get("startTime") if isinstance(row, dict) else None
    return isinstance(found, str) and found.startswith(start)
