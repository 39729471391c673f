"""A source and a provider as the service calls them, over a fake office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.reminders import SOURCE, FakeSource
from vetlla.domain.errors import LinkError
from vetlla.domain.messages import Accepted
from vetlla.gateways.contracts import Poll

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.domain.messages import Channel, Outgoing
    from vetlla.gateways.contracts import CancelOutcome


class Source:
    """An office's system that may not answer."""

    name = SOURCE

    def __init__(self) -> None:
        self.office = FakeSource()
        self.is_away = False
        self.asked: list[AppointmentKey] = []

    async def poll(self, office: str, first: date, last: date) -> Poll:
        self._answer()
        found = (one for one in self.office.appointments.values() if first <= one.start.date() <= last)
        return Poll(office=office, first=first, last=last, appointments=tuple(found))

    async def get(self, key: AppointmentKey) -> Appointment | None:
        self.asked.append(key)
        self._answer()
        return self.office.get(key)

    async def cancel(self, key: AppointmentKey) -> CancelOutcome:
        self._answer()
        return self.office.cancel(key)

    def _answer(self) -> None:
        if self.is_away:
            raise LinkError("the source does not answer")


class Gateway:
    """A provider that keeps what it was given."""

    def __init__(self, channel: Channel) -> None:
        self.name = channel.value
        self.channel = channel
        self.sent: list[Outgoing] = []
        self.fault: BaseException | None = None

    async def send(self, message: Outgoing) -> Accepted:
        if self.fault is not None:
            raise self.fault
        self.sent.append(message)
        return Accepted(f"{self.name}-{len(self.sent)}")
