"""Appointments of Orchestra's calendar (``calendar-backend``), by its internal and its public API.

Only the internal API lists the appointments of a branch. A single one is read by either API, and cancelled by the
public one, because that is where public clients and recordings do it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.errors import LinkError
from vetlla.gateways.qmatic.calendar_shape import calendar_appointment
from vetlla.gateways.qmatic.cancelling import cancel_once
from vetlla.gateways.qmatic.client import QmaticClient
from vetlla.gateways.qmatic.complaints import NOT_FOUND
from vetlla.gateways.qmatic.fields import is_id, object_in, objects_in, text_in
from vetlla.gateways.qmatic.moments import ZONE, configured_zone
from vetlla.gateways.qmatic.reading import Asked, ElsewhereError, poll_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.contracts import CancelOutcome, Poll
    from vetlla.gateways.qmatic.client import Connection

DIRECT: Final = "/calendar-backend"
THROUGH_GATEWAY: Final = "/rest/calendar-backend"


class Reads(StrEnum):
    """The API by which a single appointment is read."""

    INTERNAL = "internal"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSettings:
    """One calendar of Orchestra."""

    name: str
    """Name of this source; appointments are remembered by it."""
    connection: Connection
    root: str = DIRECT
    """Path of the calendar: ``THROUGH_GATEWAY`` if Qmatic's API Gateway is in front."""
    reads: Reads = Reads.INTERNAL
    zone: str = ZONE
    """IANA name; counts if a row's branch names none."""
    public_ids: Mapping[str, str] = field(default_factory=dict)
    """``publicId`` of a branch -> the office's id in a poll, for installations whose rows have no ``branch.id``."""


class OrchestraCalendar:
    """A source of appointments; see ``AppointmentSource``. An office is the ``id`` of a branch."""

    def __init__(self, settings: CalendarSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._zone = configured_zone(settings.name, settings.zone)
        self._client = QmaticClient(settings.connection)
        self._internal = f"{settings.root}/api/v1"
        self._public = f"{settings.root}/public/api/v1"
        self._reads = self._internal if settings.reads is Reads.INTERNAL else self._public
        self._office_of = dict(settings.public_ids)
        """``publicId`` of a branch -> office; polls and the list of branches complete it."""
        self._branches_are_known = False
        self._path_is_known = False
        """Whether the path of single appointments has answered as Orchestra does."""

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of a branch from ``first`` to ``last``, both included. Raises LinkError."""
        path = f"{self._internal}/appointments"
        query = {
            "branch": office,
            "start": f"{first.isoformat()}T00:00",
            "end": f"{last.isoformat()}T23:59",
            "timeZoneBranchId": office,
        }
        found = await self._client.get_json(path, query)
        rows = found.get("appointmentList") if isinstance(found, dict) else None
        if not isinstance(rows, list):
            raise LinkError(
                f"{path} gives JSON without appointmentList", remedy="is it the path of the calendar's internal API?"
            )

        def read(row: Mapping[str, Any]) -> Appointment:
            return self._appointment(row, self._owner(object_in(row, "branch"), office))

        return poll_of(
            Asked(office, first, last), rows, read, is_complete=_is_whole(object_in(found, "meta"), len(rows))
        )

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment as it is now; None if Orchestra has it no longer. Raises LinkError."""
        if not is_id(key.id):
            return None
        way = "appointments/publicid" if self._settings.reads is Reads.INTERNAL else "appointments"
        path = f"{self._reads}/{way}/{key.id}"
        answer = await self._client.get(path)
        complaint = answer.complaint
        if complaint.is_gone:
            if not complaint.code:
                await self._check_path()
            return None
        found = self._client.json_of(path, answer)
        row = found.get("appointment", found) if isinstance(found, dict) else None
        if not isinstance(row, dict):
            raise LinkError(f"{self._reads}/{way} gives JSON without an appointment", remedy="check the root")
        branch = object_in(row, "branch")
        if not text_in(branch, "id") and text_in(branch, "publicId") not in self._office_of:
            await self._learn_branches()
        try:
            appointment = self._appointment(row, self._owner(branch, text_in(branch, "publicId")))
        except ValueError as error:
            raise LinkError(f"{self._reads}/{way} gives an appointment that cannot be read: {error}") from None
        if appointment.key.id != key.id:
            raise LinkError(f"{self._reads}/{way} gives another appointment", remedy="switch the gateway's cache off")
        self._path_is_known = True
        return appointment

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment, with one DELETE. Raises RefusedError, OutcomeUnknownError, or LinkError."""
        if not is_id(key.id):
            raise LinkError("the id of the appointment cannot stand in a path", remedy="was it imported from a file?")
        return await cancel_once(self._client, f"{self._public}/appointments/{key.id}", key, self.get)

    def _appointment(self, row: Mapping[str, Any], office: str) -> Appointment:
        return calendar_appointment(row, source=self.name, office=office, zone=self._zone)

    def _owner(self, branch: Mapping[str, Any], otherwise: str) -> str:
        """Return the office that a row's branch is; ``otherwise`` if the branch has no id that is known yet.

        The first poll whose rows have only a ``publicId`` teaches which office that is. If another office's poll has
        the same one, a cache is in the way. Raises ElsewhereError.
        """
        public = text_in(branch, "publicId")
        if public and (known := self._office_of.get(public)):
            return known
        numbered = text_in(branch, "id")
        if numbered:
            if public:
                self._office_of[public] = numbered
            return numbered
        if public and otherwise != public:
            if otherwise in self._office_of.values():
                raise ElsewhereError("a row is of another office: does a gateway answer from its cache?")
            self._office_of[public] = otherwise
        return otherwise

    async def _learn_branches(self) -> None:
        """Ask the internal API once which ``publicId`` each office has; an installation may not say it."""
        if self._branches_are_known:
            return
        found = await self._client.get_json(f"{self._internal}/branches")
        self._branches_are_known = True
        for branch in objects_in(found if isinstance(found, dict) else {}, "branchList"):
            public, numbered = text_in(branch, "publicId"), text_in(branch, "id")
            if public and numbered:
                self._office_of.setdefault(public, numbered)

    async def _check_path(self) -> None:
        """Raise LinkError if the path of single appointments does not exist.

        A path that does not exist has the same 404 as an appointment that does not, and each appointment would count as
        cancelled. The list of branches is beside it.
        """
        if self._path_is_known:
            return
        answer = await self._client.get(f"{self._reads}/branches")
        if answer.status == NOT_FOUND:
            raise LinkError(f"{self._reads} is no path of Orchestra", remedy="check the url and the root")
        self._client.json_of(f"{self._reads}/branches", answer)
        self._path_is_known = True


def _is_whole(meta: Mapping[str, Any], rows: int) -> bool:
    """Return False if the answer says that there are more appointments than it has."""
    total, limit = meta.get("totalResults"), meta.get("limit")
    if isinstance(total, int):
        return total <= rows
    return not isinstance(limit, int) or rows < limit
