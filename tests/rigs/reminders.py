"""A source, a provider and a citizen for tests of reminders. The provider's own list says what was really sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.appointments import Appointment, AppointmentKey, AppointmentStatus
from vetlla.domain.messages import Accepted, Channel, Outgoing
from vetlla.gateways.contracts import CancelOutcome, OutcomeUnknownError, Poll, RefusedError
from vetlla.gateways.sms.twilio import failure_table as twilio_failures
from vetlla.gateways.whatsapp.errors import failure_table as whatsapp_failures
from vetlla.tasks.reminders.sending import Rendered

if TYPE_CHECKING:
    from vetlla.domain.errors import LinkError
    from vetlla.tasks.reminders.sending import Ready, WantedMessage

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, 10:00 in Lleida."""
ZONE = "Europe/Madrid"
OFFICE = "46"
SOURCE = "lleida"
PHONE = "+34600000001"

TABLES = {Channel.WHATSAPP: whatsapp_failures(), Channel.SMS: twilio_failures()}


def key(name: str | int = 1) -> AppointmentKey:
    """Return the key of an appointment of the office."""
    return AppointmentKey(SOURCE, str(name))


def appointment(name: str | int = 1, start: datetime = NOW + timedelta(days=1), **changes: object) -> Appointment:
    """Return an appointment whose citizen agreed to WhatsApp."""
    values: dict[str, object] = {
        "key": key(name),
        "office": OFFICE,
        "start": start,
        "end": start + timedelta(minutes=10),
        "zone": ZONE,
        "status": AppointmentStatus.CREATED,
        "phone": PHONE,
        "consented_at": NOW - timedelta(days=9),
    }
    return Appointment(**(values | changes))  # type: ignore[arg-type]


@dataclass(kw_only=True)
class FakeSource:
    """Appointments as the office has them."""

    appointments: dict[AppointmentKey, Appointment] = field(default_factory=dict)
    cancelled: list[AppointmentKey] = field(default_factory=list)
    """Every call that really cancelled something."""

    def put(self, *appointments: Appointment) -> None:
        """Book appointments, or change them."""
        self.appointments |= {one.key: one for one in appointments}

    def poll(self, now: datetime, days: int = 14) -> Poll:
        """Return all of some days."""
        first, last = now.date(), now.date() + timedelta(days=days)
        found = tuple(one for one in self.appointments.values() if first <= one.start.date() <= last)
        return Poll(office=OFFICE, first=first, last=last, appointments=found)

    def get(self, wanted: AppointmentKey) -> Appointment | None:
        """Return an appointment as it is now."""
        return self.appointments.get(wanted)

    def cancel(self, wanted: AppointmentKey) -> CancelOutcome:
        """Cancel an appointment."""
        found = self.appointments.get(wanted)
        if found is None or found.status is AppointmentStatus.CANCELLED:
            return CancelOutcome.GONE
        self.cancelled.append(wanted)
        self.put(replace(found, status=AppointmentStatus.CANCELLED))
        return CancelOutcome.DONE


class Sent(NamedTuple):
    """A message that the provider really took."""

    provider_id: str
    channel: Channel
    outgoing: Outgoing
    at: datetime
    what: tuple[str, str, str, str]
    """Kind, appointment, start and step, which the text says."""


@dataclass(kw_only=True)
class FakeProvider:
    """Takes messages of both channels; ``sends`` is the truth about what citizens got."""

    sends: list[Sent] = field(default_factory=list)

    def take(self, ready: Ready, now: datetime) -> str:
        """Take a message; return its id."""
        name = f"id-{len(self.sends)}"
        what = tuple(ready.outgoing.text.split("|"))
        assert len(what) == 4
        self.sends.append(Sent(name, ready.channel, ready.outgoing, now, what))
        return name

    def call(self, ready: Ready, now: datetime, how: str = "taken") -> Accepted | LinkError:
        """Answer a call: "taken", "refused CODE", "lost" (taken, and the answer is lost) or "never" (not taken)."""
        if how.startswith("refused"):
            return RefusedError("refused", code=how.removeprefix("refused").strip())
        if how == "never":
            return OutcomeUnknownError("no answer")
        name = self.take(ready, now)
        return OutcomeUnknownError("no answer") if how == "lost" else Accepted(name)


def render(wanted: WantedMessage) -> Rendered:
    """Return a text that says which message it is."""
    plan = wanted.message.plan
    text = f"{plan.kind}|{plan.key.appointment.id}|{plan.key.start.isoformat()}|{plan.key.step}"
    template = plan.kind.value if plan.as_template and wanted.channel is Channel.WHATSAPP else ""
    return Rendered(Outgoing(reference="", phone="", text=text, template=template, language=wanted.language), "fake")
