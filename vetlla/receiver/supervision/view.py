"""Supervision as people and programs see it: one device, the whole fleet in numbers, the incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import iso
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.service.supervision.explain import StateFacts, why
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from vetlla.domain.clock import Clock
    from vetlla.receiver.control.messages.supervision import DeviceFields, DeviceSheet, FleetHealth, IncidentFields
    from vetlla.receiver.supervision.incidents import Incident
    from vetlla.receiver.supervision.supervision import Supervision

WORST_FIRST = (Health.LOST, Health.LATE, Health.UNKNOWN, Health.NOT_SUPERVISED, Health.OK)
INCIDENTS_TOLD = 5
"""Open incidents in the status, the greatest first; `vetlla supervision incidents` lists all."""


class SupervisionView:
    """Read-only view of supervision."""

    def __init__(self, supervision: Supervision, clock: Clock) -> None:
        self._supervision = supervision
        self._fleet = supervision.fleet
        self._clock = clock

    # --- one device -------------------------------------------------------------------------------------------------

    def device(self, number: int) -> DeviceFields:
        """Return a device as a list shows it."""
        fleet, now = self._fleet, self._clock.now()
        account, state = fleet.accounts[number], Health(fleet.state[number])
        incident = self._supervision.incident_of(number)
        missed = self._supervision.missed(number, now)
        pause = Pause(fleet.pause[number]) if state is Health.NOT_SUPERVISED else Pause.NONE
        supervised = state is not Health.NOT_SUPERVISED
        return {
            "unit": number,
            "account": account.account,
            "receiver": account.receiver,
            "line": account.line,
            "home": account.home,
            "device": fleet.devices[number],
            "kind": "terminal" if fleet.parents[number] == NO_PARENT else "ucr",
            "state": state.word,
            "since": iso(fleet.since_us[number] or None),
            "why": why(self._known(number, state, pause, missed)),
            "not_supervised": pause.words,
            "last_heard": iso(fleet.heard_us[number] or None),
            "interval_s": fleet.interval_s[number],
            "allowed_misses": fleet.allowed[number],
            "missed": missed,
            "next_deadline": iso(self._supervision.due_us(number, missed, now))
            if supervised and state != Health.LOST
            else None,
            "incident": incident.id if incident else None,
            "alarm": incident.alarm if incident else self._supervision.alarm_of(number),
        }

    def whole(self, number: int) -> DeviceSheet:
        """Return everything that is known of a device."""
        fleet, now = self._fleet, self._clock.now()
        listed = self.device(number)
        allowed = fleet.allowed[number]
        order = self._supervision.order_of(number)
        return {
            **listed,
            "lost_at": iso(self._supervision.due_us(number, allowed - 1, now)) if listed["next_deadline"] else None,
            "labels": list(self._supervision.labels(number)),
            "received_today": fleet.received[number],
            "pause": {
                "operator": order.operator,
                "reason": order.reason,
                "since": iso(order.since_us),
                "until": iso(order.until_us),
            }
            if order
            else None,
        }

    def _known(self, number: int, state: Health, pause: Pause, missed: int) -> StateFacts:
        parent = self._fleet.parents[number]
        incident = self._supervision.incident_of(number)
        order = self._supervision.order_of(number)
        if state is Health.LOST and self._supervision.has_grace(number):
            # The previous run found it lost; the grace after the restart must not make its misses fewer.
            missed = max(missed, self._fleet.allowed[number])
        return StateFacts(
            state=state,
            pause=pause,
            missed=missed,
            allowed_misses=self._fleet.allowed[number],
            terminal=None if parent == NO_PARENT else Health(self._fleet.state[parent]),
            incident=f"incident {incident.id}, {incident.label}" if incident else "",
            ordered=f"{order.operator}: {order.reason}" if order else "",
        )

    # --- the fleet --------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """Return how many devices are in each state, the worst first."""
        return {state.word: self._fleet.counts[state] for state in WORST_FIRST}

    @property
    def incidents_open(self) -> int:
        """How many incidents are open."""
        return len(self._supervision.open_incidents())

    def health(self) -> FleetHealth:
        """Return the fleet in numbers, and the greatest incidents."""
        incidents = self.incidents()
        return {
            "devices": len(self._fleet),
            "states": self.counts(),
            "incidents_open": len(incidents),
            "incidents": incidents[:INCIDENTS_TOLD],
        }

    def incidents(self) -> list[IncidentFields]:
        """Return the open incidents, the one with the most lost devices first."""
        standing = sorted(self._supervision.open_incidents(), key=lambda one: (-len(one.lost), one.id))
        return [self.incident(one) for one in standing]

    def incident(self, incident: Incident) -> IncidentFields:
        """Return an incident without its members."""
        return {
            "incident": incident.id,
            "label": incident.label,
            "opened": iso(incident.opened_us),
            "closed": iso(incident.closed_us),
            "lost": len(incident.lost),
            "members": len(incident.members),
            "alarm": incident.alarm,
            "age_s": incident.age_s(self._clock.now()),
        }
