"""What the events of a duty say about an emergency: its alarms, its unit, and how far the unit is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.emergencies import TYPE_OF_KIND, EmergencyType

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.duties.standing import Standing

UNIT = "team"
"""Detail of an event with the code of the unit; the files of duty events have it under this name."""


class StreetEmergency(NamedTuple):
    """An emergency with its duty. Times are microseconds UTC; None if it did not happen."""

    standing: Standing
    type: EmergencyType
    alarms: tuple[str, ...]
    """The first one first."""
    unit: str
    """The unit that goes or is there; empty if none was sent, or if it was called away."""
    base: str
    """The base from which it went; empty if no event says it."""
    sent_us: int | None
    arrived_us: int | None
    access_us: int | None
    no_access_us: int | None

    @property
    def id(self) -> int:
        """Number of its duty."""
        return self.standing.duty.id

    @property
    def home(self) -> str:
        """Code of the home."""
        return self.standing.duty.subject

    @property
    def opened_us(self) -> int:
        """When its clock began."""
        return self.standing.duty.opened_us

    @property
    def is_open(self) -> bool:
        """Return True while no event has ended it."""
        return self.standing.is_open

    @property
    def waits(self) -> bool:
        """Return True if it is open and its verdict waits for a unit."""
        return self.is_open and self.standing.judging is None

    @property
    def ended_us(self) -> int | None:
        """When it was finished or called off."""
        ended = self.standing.ended
        return ended.told.at_us if ended else None

    @property
    def is_retyped(self) -> bool:
        """Return True if it goes on as an emergency of the other type."""
        ended = self.standing.ended
        return ended is not None and ended.told.event == "retyped"

    @property
    def is_mobilised(self) -> bool:
        """Return True if a unit was sent and not called away. One that goes on as the other type counts there."""
        return self.sent_us is not None and not self.is_retyped

    @property
    def has_arrived(self) -> bool:
        """Return True if a unit has reached the home, whether or not it got in."""
        return any(at is not None for at in (self.arrived_us, self.access_us, self.no_access_us))

    def units_sent(self) -> frozenset[str]:
        """Return the units that were sent and not called away."""
        found: set[str] = set()
        last = ""
        for event in self.standing.duty.events:
            if event.told.event == "sent":
                last = detail(event, UNIT)
                found.add(last)
            elif event.told.event == "recalled":
                found.discard(last)
        return frozenset(found)

    @property
    def was_escalated(self) -> bool:
        """Return True if its alarm was put before a supervisor, because it had no unit for too long."""
        return any(event.told.event == "escalated" for event in self.standing.duty.events)

    @property
    def is_attended(self) -> bool:
        """Return True if a unit has got in."""
        return self.access_us is not None


def detail(event: DutyEvent, name: str) -> str:
    """Return a detail of an event; "" if it does not say it."""
    return event.told.detail.get(name, "")


def until(duty: Duty, at_us: int) -> Duty:
    """Return a duty with its events up to a moment; it was opened by then."""
    return duty._replace(events=tuple(event for event in duty.events if event.told.at_us <= at_us))


def emergency(one: Standing) -> StreetEmergency:
    """Return the emergency of a duty of kind ``umo_1`` or ``umo_2``."""
    alarms: list[str] = []
    unit = base = ""
    at: dict[str, int | None] = dict.fromkeys(("sent", "arrived", "access", "no_access"))
    for event in one.duty.events:
        told = event.told
        if (alarm := detail(event, "alarm")) and alarm not in alarms:
            alarms.append(alarm)
        if told.event == "sent":
            unit, base = detail(event, UNIT), detail(event, "base")
            at["sent"], at["arrived"] = told.at_us, None
        elif told.event == "recalled":
            unit = base = ""
            at["sent"] = at["arrived"] = None
        elif told.event in at and at[told.event] is None:
            at[told.event] = told.at_us
            unit, base = detail(event, UNIT) or unit, detail(event, "base") or base
    return StreetEmergency(
        one,
        TYPE_OF_KIND[one.duty.kind],
        tuple(alarms),
        unit,
        base,
        at["sent"],
        at["arrived"],
        at["access"],
        at["no_access"],
    )
