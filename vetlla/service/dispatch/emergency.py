"""What the events of a duty say about an emergency: its alarms, its unit, and how far the unit is."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - NamedTuple
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import NO_NEWS_US, TYPE_OF_KIND, EmergencyType

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.duties.standing import Standing

UNIT: Final = "team"
"""Detail of an event with the code of the unit; the files of duty events have it under this name."""
DUTY_MARK: Final = "D"
"""Begin of the name of an emergency without an alarm; the number of its duty follows. Alarms have numbers only."""
_REACHED: Final = {"arrived": "arrived", "access": "access", "no_access": "shut_out"}
"""What a unit reports from the home, with the time that it sets for the unit."""


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
    """When a unit could not get in for the first time. Another unit may have been sent since then."""
    shut_out_us: int | None
    """When the unit that was sent last could not get in."""
    freed: Mapping[str, int]
    """The units that were called away or replaced, by ``code_key``, and when that happened for the last time."""

    @property
    def id(self) -> int:
        """Number of its duty."""
        return self.standing.duty.id

    @property
    def label(self) -> str:
        """How commands name it: its first alarm; ``D`` and the number of its duty if no alarm is known."""
        return self.alarms[0] if self.alarms else f"{DUTY_MARK}{self.id}"

    @property
    def named(self) -> str:
        """How sentences name it, such as "alarm 1207" or "duty 4711"."""
        return f"alarm {self.alarms[0]}" if self.alarms else f"duty {self.id}"

    @property
    def reached_us(self) -> int | None:
        """When the unit that was sent last came to the home; None while it is on the way."""
        return self.arrived_us or self.access_us or self.shut_out_us

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
    def news_us(self) -> int:
        """When the last of its events happened."""
        return max(event.told.at_us for event in self.standing.duty.events)

    def has_no_news(self, now_us: int) -> bool:
        """Return True if no event has ended it, and nothing was recorded of it for ``NO_NEWS_US``."""
        return self.is_open and now_us - self.news_us > NO_NEWS_US

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
        """Return the units that were sent and not called away, each under one spelling of its code."""
        found: set[str] = set()
        last = ""
        for event in self.standing.duty.events:
            if event.told.event == "sent":
                last = code_key(detail(event, UNIT))
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
    at: dict[str, int | None] = dict.fromkeys(("sent", "arrived", "access", "no_access", "shut_out"))
    freed: dict[str, int] = {}
    for event in one.duty.events:
        told = event.told
        if (alarm := detail(event, "alarm")) and alarm not in alarms:
            alarms.append(alarm)
        team = detail(event, UNIT)
        if told.event == "sent":
            if unit and code_key(unit) != code_key(team):
                freed[code_key(unit)] = told.at_us
            unit, base = team, detail(event, "base")
            at |= {"sent": told.at_us, "arrived": None, "shut_out": None}
        elif told.event == "recalled":
            if unit:
                freed[code_key(unit)] = told.at_us
            unit = base = ""
            at |= {"sent": None, "arrived": None, "shut_out": None}
        elif told.event in _REACHED:
            name = _REACHED[told.event]
            at[name] = at[name] or told.at_us
            at[told.event] = at[told.event] or told.at_us
            unit, base = team or unit, detail(event, "base") or base
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
        at["shut_out"],
        freed,
    )
