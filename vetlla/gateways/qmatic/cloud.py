"""Appointments of Qmatic Experience Cloud (the Cloud Appointments API): OAuth2 client credentials and ``X-ACCOUNT``.

Fields and paths are those of Qmatic's public pages (qmatic.atlassian.net, "Cloud Appointments API"). These pages show a
search by a customer's identifier alone. Whether an account may search by branch and day is agreed with Qmatic, so the
body of the search is a setting without a default.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus, BookedService
from vetlla.domain.errors import ConfigError, LinkError
from vetlla.gateways.qmatic.cancelling import cancel_once
from vetlla.gateways.qmatic.client import QmaticClient
from vetlla.gateways.qmatic.complaints import UNAUTHORIZED
from vetlla.gateways.qmatic.fields import (
    UnreadableFieldError,
    id_in,
    is_id,
    object_in,
    objects_in,
    phone_of,
    status_of,
    text_in,
)
from vetlla.gateways.qmatic.moments import ZONE, configured_zone, moment_of, optional_moment
from vetlla.gateways.qmatic.reading import Asked, poll_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from zoneinfo import ZoneInfo

    from vetlla.gateways.contracts import CancelOutcome, Poll
    from vetlla.gateways.qmatic.client import Connection, QmaticAnswer

TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105 - a path
SCOPE: Final = "com.qmatic.saas.appointments/external.appointment.cancel"
EARLY_S: Final = 60.0
"""A token is renewed this long before it ends, so that none ends on the way."""
SHORTEST_S: Final = 30.0
LONGEST_S: Final = 3_600.0
"""Longest time for which a token is kept; Qmatic's tokens last 60 minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """One account of Qmatic Experience Cloud. ``connection.access`` is ``Basic`` with the client's id and secret."""

    name: str
    connection: Connection
    account: str
    """Name of the account, in small letters without spaces: the header ``X-ACCOUNT``."""
    search: str = field(default="")
    """JSON of the search by office, in which ``{office}``, ``{first}`` and ``{last}`` (days) are filled in."""
    scopes: tuple[str, ...] = (SCOPE,)
    zone: str = ZONE


class QmaticCloud:
    """A source of appointments; see ``AppointmentSource``. An office is the id of a branch, a UUID."""

    def __init__(self, settings: CloudSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._zone = configured_zone(settings.name, settings.zone)
        self._tokens = QmaticClient(settings.connection)
        self._client: QmaticClient | None = None
        self._until = 0.0

    async def poll(self, office: str, first: date, last: date) -> Poll:
        """Return the appointments of a branch from ``first`` to ``last``, both included. Raises LinkError."""
        body = self._search(office, first, last)
        client = await self._entered()
        answer = await client.ask("/appointments/search", body)
        found = client.json_of("/appointments/search", self._noted(answer))
        rows = found.get("appointments", [found]) if isinstance(found, dict) else found
        if not isinstance(rows, list):
            raise LinkError("/appointments/search gives JSON that is no list", remedy="check the url")
        return poll_of(Asked(office, first, last), rows, self._appointment)

    async def get(self, key: AppointmentKey) -> Appointment | None:
        """Return an appointment as it is now; None if the cloud has it no longer. Raises LinkError."""
        if not is_id(key.id):
            return None
        path = f"/appointments/{key.id}"
        client = await self._entered()
        answer = self._noted(await client.get(path))
        if answer.complaint.is_gone:
            return None
        row = client.json_of(path, answer)
        try:
            appointment = self._appointment(row if isinstance(row, dict) else {})
        except ValueError as error:
            raise LinkError(f"/appointments gives an appointment that cannot be read: {error}") from None
        if appointment.key != key:
            raise LinkError("/appointments gives another appointment", remedy="tell Qmatic")
        return appointment

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment, with one DELETE. Raises RefusedError, OutcomeUnknownError, or LinkError."""
        if not is_id(key.id):
            raise LinkError("the id of the appointment cannot stand in a path", remedy="was it imported from a file?")
        return await cancel_once(await self._entered(), f"/appointments/{key.id}", key, self.get)

    def _search(self, office: str, first: date, last: date) -> Any:  # noqa: ANN401 - any JSON
        text = self._settings.search
        if not text:
            raise LinkError(
                f"{self.name}: no search by office is set",
                remedy="ask Qmatic for the body of POST /appointments/search that lists a branch, and set it",
            )
        values = {"{office}": office, "{first}": first.isoformat(), "{last}": last.isoformat()}
        for place, value in values.items():
            text = text.replace(place, json.dumps(value)[1:-1])
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{self.name}: the search is not JSON: {error}", remedy="correct it") from error

    async def _entered(self) -> QmaticClient:
        """Return a client with a token that is still good. Raises LinkError."""
        if self._client is None or time.monotonic() >= self._until:
            form = {"grant_type": "client_credentials", "scope": " ".join(self._settings.scopes)}
            answer = await self._tokens.ask(TOKEN_PATH, form=form, headers={"X-ACCOUNT": self._settings.account})
            found = self._tokens.json_of(TOKEN_PATH, answer)
            token = found.get("access_token") if isinstance(found, dict) else None
            if not isinstance(token, str) or not token.isprintable():
                raise LinkError(f"{TOKEN_PATH} gives no token", remedy="check the client's id, secret and account")
            lasts = found.get("expires_in")
            lasts_s = float(lasts) if isinstance(lasts, int | float) else SHORTEST_S
            self._until = time.monotonic() + max(SHORTEST_S, min(lasts_s, LONGEST_S) - EARLY_S)
            self._client = QmaticClient(
                self._settings.connection,
                headers={"Authorization": f"Bearer {token}", "X-ACCOUNT": self._settings.account},
            )
        return self._client

    def _noted(self, answer: QmaticAnswer) -> QmaticAnswer:
        if answer.status == UNAUTHORIZED:
            self._client = None  # the next call asks for another token
        return answer

    def _appointment(self, row: Mapping[str, Any]) -> Appointment:
        slot, branch, customer = (object_in(row, name) for name in ("timeSlot", "branch", "customer"))
        zone: ZoneInfo = self._zone
        try:
            start = moment_of(slot.get("startTime"), zone)
        except ValueError as error:
            raise UnreadableFieldError(f"timeSlot.startTime {error}") from None
        # The pages show no status: a search gives booked appointments only.
        status, given = status_of(row["status"]) if "status" in row else (AppointmentStatus.CREATED, "")
        phone, phone_given = phone_of([text_in(customer, "phoneNumber")])
        services = [*objects_in(row, "services"), *([one] if (one := object_in(row, "service")) else [])]
        return Appointment(
            key=AppointmentKey(self.name, id_in(row, "appointmentId")),
            office=id_in(branch, "id"),
            start=start,
            end=max(start, optional_moment(slot.get("endTime"), zone) or start),
            zone=zone.key,
            status=status,
            status_given=given,
            services=tuple(BookedService(text_in(one, "id"), text_in(one, "name")) for one in services),
            phone=phone,
            phone_given=phone_given,
        )
