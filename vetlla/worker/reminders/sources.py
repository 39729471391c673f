"""Makes the sources of appointments that the settings name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vetlla.gateways.qmatic.access import ApiKey, AuthToken, Basic, Session
from vetlla.gateways.qmatic.client import Connection
from vetlla.gateways.qmatic.cloud import CloudSettings, QmaticCloud
from vetlla.gateways.qmatic.files import AppointmentFiles, FileSettings
from vetlla.gateways.qmatic.orchestra_calendar import CalendarSettings, OrchestraCalendar, Reads
from vetlla.gateways.qmatic.orchestra_queue import OrchestraQueue, QueueSettings
from vetlla.settings.reminders.sources import BasicAccess, CalendarSource, CloudSource, QueueSource, TokenAccess
from vetlla.settings.secret import read_secret
from vetlla.tasks.reminders.appointment_files import appointment_rows

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.contracts import AppointmentSource, CancelOutcome, Poll
    from vetlla.gateways.qmatic.access import Access
    from vetlla.settings.reminders.sources import HttpSource, Source

MIB: Final = 1 << 20


def source_of(given: Source) -> AppointmentSource:
    """Return the source that a table ``[[source]]`` describes. Raises ConfigError for a secret that cannot be read."""
    match given:
        case CalendarSource():
            return OrchestraCalendar(
                CalendarSettings(
                    name=given.name,
                    connection=_connection(given),
                    root=given.root,
                    reads=Reads(given.reads),
                    zone=given.zone,
                    public_ids=given.public_ids,
                )
            )
        case QueueSource():
            return OrchestraQueue(
                QueueSettings(
                    name=given.name,
                    connection=_connection(given),
                    root=given.root,
                    calendar_root=given.calendar_root,
                    zone=given.zone,
                    zones=given.zones,
                )
            )
        case CloudSource():
            return QmaticCloud(
                CloudSettings(
                    name=given.name,
                    connection=_connection(given),
                    account=given.account,
                    search=given.search,
                    scopes=given.scopes,
                    zone=given.zone,
                )
            )
    return AppointmentFiles(
        FileSettings(
            name=given.name,
            path=given.path,
            read_rows=appointment_rows,
            zone=given.zone,
            max_file=given.max_file_mib * MIB,
        )
    )


def _connection(given: HttpSource) -> Connection:
    return Connection(
        url=given.url,
        access=_access(given),
        referer=given.referer,
        ca_file=given.ca_file,
        connect_s=given.connect_s,
        answer_s=given.answer_s,
        whole_s=given.whole_s,
    )


def _access(given: HttpSource) -> Access | None:
    who = f"source {given.name}"
    match given.access:
        case None:
            return None
        case BasicAccess(kind=kind, user=user, password_file=file):
            return (Basic if kind == "basic" else Session)(user, read_secret(file, who))
        case TokenAccess(token_file=file):
            return AuthToken(read_secret(file, who))
    return ApiKey(read_secret(given.access.key_file, who))


class RedirectedSource:
    """A source whose appointments all seem to be of one telephone: for a trial, in which no citizen gets a message."""

    def __init__(self, source: AppointmentSource, phone: str) -> None:
        self.name = source.name
        self._source = source
        self._phone = phone

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of an office, of this telephone."""
        found = await self._source.poll(office, first, last)
        return replace(found, appointments=tuple(map(self._redirected, found.appointments)))

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment, of this telephone."""
        found = await self._source.get(key)
        return None if found is None else self._redirected(found)

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment, as in the real service."""
        return await self._source.cancel(key)

    def _redirected(self, found: Appointment) -> Appointment:
        return replace(found, phone=self._phone, phone_given="")
