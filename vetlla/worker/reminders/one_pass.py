"""One pass of the whole service, for cron, and its rehearsal, which calls no provider and keeps nothing."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import ConfigError, LinkError
from vetlla.domain.messages import Accepted
from vetlla.store.reminders import messages
from vetlla.worker.reminders import passes
from vetlla.worker.reminders.pacing import Pacing
from vetlla.worker.reminders.wiring import built

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.domain.clock import Clock
    from vetlla.domain.messages import Channel, Outgoing
    from vetlla.domain.outbox import PlannedMessage
    from vetlla.gateways.contracts import AppointmentSource, CancelOutcome, MessageGateway, Poll
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.worker.reminders.passes import Service


class Handed(NamedTuple):
    """A message that was handed over, or would be."""

    channel: Channel
    plan: PlannedMessage
    outgoing: Outgoing
    fault: str
    """Why the provider did not take it; "" if it did."""


@dataclass(slots=True, kw_only=True)
class PassResult:
    """What a pass did."""

    polled: int = 0
    failed: list[str]
    """Offices whose source did not answer."""
    doubted: list[str]
    """Offices whose poll lost too many appointments to be believed."""
    replies: int = 0
    cancellations: int = 0
    planned: int = 0
    handed: list[Handed]


async def one_pass(
    settings: ReminderSettings, clock: Clock, *, accept: frozenset[str] = frozenset(), is_rehearsal: bool = False
) -> PassResult:
    """Poll each office, handle replies, cancel and send, once. Raises ConfigError and StoreError.

    ``accept`` names offices whose poll a person found right, although it lost many appointments.
    """
    done = PassResult(failed=[], doubted=[], handed=[])
    async with _noted(settings, clock, done, is_rehearsal=is_rehearsal) as service:
        for office in service.offices:
            changes = await passes.poll(service, office, accept=office.id in accept)
            if changes is None:
                done.failed.append(office.id)
            elif changes.is_suspicious:
                done.doubted.append(office.id)
            else:
                done.polled += 1
        done.replies = passes.reply(service)
        done.cancellations = await passes.cancel(service)
        done.planned = passes.plan(service)
        await passes.dispatch(service)
    return done


@asynccontextmanager
async def _noted(
    settings: ReminderSettings, clock: Clock, done: PassResult, *, is_rehearsal: bool
) -> AsyncIterator[Service]:
    """Yield the service with gateways that note what they are given."""
    async with built(settings, clock, is_rehearsal=is_rehearsal) as parts:
        service = parts.service
        noted = {
            channel: _NotingGateway(gateway, service, done, is_rehearsal=is_rehearsal)
            for channel, gateway in service.gateways.items()
        }
        sources = service.sources
        if is_rehearsal:
            sources = {name: _SourceToRead(source) for name, source in sources.items()}
        if any(one.run is not None for one in parts.channels.values()) and not is_rehearsal:
            raise ConfigError(
                "sms: one pass has no session with the SMSC", remedy="run the service: vetlla reminders run"
            )
        pacing = Pacing() if is_rehearsal else service.pacing
        yield replace(service, gateways=noted, sources=sources, pacing=pacing)


class _NotingGateway:
    def __init__(self, gateway: MessageGateway, service: Service, done: PassResult, *, is_rehearsal: bool) -> None:
        self.name, self.channel = gateway.name, gateway.channel
        self._gateway = gateway
        self._service = service
        self._done = done
        self._is_rehearsal = is_rehearsal

    async def send(self, message: Outgoing) -> Accepted:
        found = messages.by_reference(self._service.db, message.reference)
        assert found is not None  # its row says "sending"
        fault = ""
        try:
            if self._is_rehearsal:
                return Accepted(f"rehearsal-{message.reference}")
            return await self._gateway.send(message)
        except LinkError as error:
            fault = str(error)
            raise
        finally:
            self._done.handed.append(Handed(self.channel, found.plan, message, fault))


class _SourceToRead:
    """A source that cancels nothing."""

    def __init__(self, source: AppointmentSource) -> None:
        self.name = source.name
        self._source = source

    async def poll(self, office: str, first: date, last: date) -> Poll:
        return await self._source.poll(office, first, last)

    async def get(self, key: AppointmentKey) -> Appointment | None:
        return await self._source.get(key)

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        raise LinkError(f"{key.source}: a rehearsal cancels nothing")
