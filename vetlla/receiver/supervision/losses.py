"""Consequences of a device's change of state: a row in the journal, and an alarm or a place in an incident.

The receiver decides them in the event loop as soon as it knows the change, and writes them with the next batch. If that
batch is rolled back, the batch after it contains all of them again.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Arrival, Event, Kind, Phase, Priority
from vetlla.domain.supervision import KeptChange, KeptIncident
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.queue.desk_report import DeskReport
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.receiver.supervision.states import StateChange
from vetlla.receiver.watchers import happening
from vetlla.service.queue.triage import home_of
from vetlla.service.supervision.rules import Health, Pause
from vetlla.settings.supervision import AlarmPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.supervision import LostIn
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.queue.alarm_view import Deed
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.queue.placement import Placement
    from vetlla.receiver.supervision.fleet import Fleet
    from vetlla.receiver.supervision.incidents import Incident, Incidents
    from vetlla.receiver.supervision.silence import Silence
    from vetlla.receiver.watchers import Watchers
    from vetlla.settings.supervision import SupervisionSettings
    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()

STEPS_PER_BATCH = 1_000
"""State changes in one transaction, so that an alarm never waits for the changes of a whole fleet."""
LOST = Event(Kind.DEVICE_LOST, Phase.NEW, "silent", "vetlla")
"""The event in the alarm of a loss; Vetlla defines its code, and no device sends it."""
LOST_MANY = Event(Kind.DEVICE_LOST, Phase.NEW, "silent_many", "vetlla")


class _Step(NamedTuple):
    """One entry to write: a device's change of state, with its incident, or an incident that begins or ends."""

    change: StateChange | None
    incident: Incident | None = None
    alone: bool = False
    """True if the loss belongs to no incident, so that it opens an alarm of its own."""


class Losses:
    """Writes state changes and opens or closes the alarms of losses. Lives in the event loop."""

    def __init__(
        self,
        *,
        settings: SupervisionSettings,
        fleet: Fleet,
        silence: Silence,
        incidents: Incidents,
        write_at_once: Callable[[Iterable[int], Batch], None],
        desk: Desk,
        placement: Placement,
        commit: GroupCommit,
        watchers: Watchers,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._fleet = fleet
        self._silence = silence
        self._incidents = incidents
        self._write_at_once = write_at_once
        self._desk = desk
        self._placement = placement
        self._commit = commit
        self._watchers = watchers
        self._clock = clock
        self._steps: deque[_Step] = deque()
        self._placed: list[_Step] = []
        self._alarms: dict[int, int] = {}
        """By lost device: the alarm of its loss."""
        self._devices_of: Counter[int] = Counter()

    def resume(self, lost: Iterable[LostIn]) -> None:
        """Continue the losses of the previous run."""
        for one in lost:
            if one.alarm_id is not None and one.incident is None:
                self._hold(one.unit, one.alarm_id)

    def alarm_of(self, device: int) -> int | None:
        """Return the alarm of a device's own loss, or None."""
        return self._alarms.get(device)

    # --- what is decided --------------------------------------------------------------------------------------------

    def take(self, state_changes: Iterable[StateChange]) -> None:
        """Take changes of state; their consequences are written with the next batches."""
        for change in state_changes:
            if change.state is Health.LOST:
                self._lost(change)
                continue
            if change.before is Health.LOST:
                self._steps.append(_Step(change, self._incidents.of.get(change.device)))
                self._left(change)
            elif Health.NOT_SUPERVISED in {change.before, change.state}:
                self._steps.append(_Step(change))
            if change.state in {Health.OK, Health.NOT_SUPERVISED}:
                self._lift(change.device, self._why_over(change))
        if self._steps:
            self._commit.wake()

    def _why_over(self, change: StateChange) -> str:
        at = iso(change.at.utc_us)
        if change.state is Health.OK:
            return f"heard again at {at}"
        return f"still silent; not supervised since {at}: {', '.join(Pause(self._fleet.pause[change.device]).words)}"

    def _lost(self, change: StateChange) -> None:
        device = change.device
        silent_since_us = change.at.mono_us - self._silence.length_us(device, change.at)
        known = set(self._incidents.open)
        incident = self._incidents.lost(device, silent_since_us, change.at)
        begun = incident is not None and incident.id not in known
        if begun:
            self._steps.append(_Step(None, incident))
        self._steps.append(_Step(change, incident, alone=incident is None))
        if incident is not None and begun:
            for member in incident.lost - {device}:
                again = StateChange(member, Health.LOST, Health.LOST, change.at)
                self._steps.append(_Step(again, incident))
                self._lift(member, f"part of incident {incident.id}, {incident.label}")

    def _left(self, change: StateChange) -> None:
        """Remove a device that is no longer lost from its incident. If that ends it, the others get own alarms."""
        incident = self._incidents.back(change.device)
        if incident is None:
            return
        incident.closed_us = change.at.utc_us
        self._steps.append(_Step(None, incident))
        if incident.alarm is not None:
            self._withdraw(incident.alarm, f"incident {incident.id} is over")
        for device in incident.lost:
            self._steps.append(_Step(StateChange(device, Health.LOST, Health.LOST, change.at), alone=True))

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether state changes or incidents wait to be written."""
        return bool(self._steps)

    def plan(self, batch: Batch) -> None:
        """Add the consequences of the changes to a batch, at most ``STEPS_PER_BATCH`` at once."""
        changed: dict[int, Incident] = {}
        while self._steps and len(self._placed) < STEPS_PER_BATCH:
            step = self._steps.popleft()
            self._placed.append(step)
            incident = step.incident
            if incident is not None:
                changed[incident.id] = incident
            if step.change is None:
                if incident is not None and incident.closed_us is None:
                    incident.alarm = self._open_for_many(incident, batch)
                continue
            # The change of state and the device's new state must be durable together.
            self._write_at_once([step.change.device], batch)
            batch.supervision.verdicts.append(self._verdict(step, step.change, batch))
        batch.supervision.incidents.extend(
            KeptIncident(one.id, one.label, one.opened_us, one.closed_us, one.least, len(one.members), one.alarm)
            for one in changed.values()
        )

    def committed(self) -> None:
        """Log and publish what was planned, because the batch was committed."""
        placed, self._placed = self._placed, []
        for change, incident, _ in placed:
            if change is None and incident is not None:
                fields = {"incident": incident.id, "label": incident.label, "lost": len(incident.lost)}
                if incident.closed_us is None:
                    log.warning("incident.opened", **fields)
                else:
                    log.warning("incident.ended", **fields)
            elif change is not None:
                device_fields = {"unit": change.device, "state": change.state.word, "before": change.before.word}
                if incident is None:
                    log.info("device.turned", **device_fields)
                else:  # the journal has the members; lines for a whole fleet would hide other log lines
                    log.debug("device.turned", **device_fields)
            if self._watchers and change is not None:
                event = happening("supervision", change.at, "turn")
                self._watchers.publish({**event, "unit": change.device, "state": change.state.word})

    def rolled_back(self) -> None:
        """Plan the steps again, because the batch was rolled back. The desk has already dropped their alarms."""
        for step in self._placed:
            if step.change is None and step.incident is not None and step.incident.closed_us is None:
                step.incident.alarm = None
            if step.change is not None and step.alone:
                self._release(step.change.device)
        self._steps.extendleft(reversed(self._placed))
        self._placed.clear()

    def _verdict(self, step: _Step, change: StateChange, batch: Batch) -> KeptChange:
        device, incident = change.device, step.incident
        # The device may have returned, or joined an incident, before its loss was written: then open no alarm.
        lost_alone = self._fleet.state[device] == Health.LOST and device not in self._incidents.of
        if step.alone and lost_alone and self._alarming(device):
            self._open_for(change, batch)
        return KeptChange(
            at_us=change.at.utc_us,
            unit=device,
            before=change.before,
            state=change.state,
            pause=self._fleet.pause[device],
            heard_us=self._fleet.heard_us[device],
            missed=change.missed,
            incident=incident.id if incident else None,
            alarm_id=incident.alarm if incident else self._alarms.get(device),
        )

    def _alarming(self, device: int) -> bool:
        match self.settings.alarms:
            case AlarmPolicy.ALL:
                return True
            case AlarmPolicy.TERMINALS:
                return self._fleet.parents[device] == NO_PARENT
            case AlarmPolicy.NONE:
                return False

    # --- alarms -----------------------------------------------------------------------------------------------------

    def _open_for(self, change: StateChange, batch: Batch) -> None:
        device = change.device
        if (held := self._alarms.get(device)) is not None:
            try:
                self._desk.find(held)
            except UsageError:
                self._release(device)  # an operator closed it meanwhile
            else:
                return
        account, heard_us = self._fleet.accounts[device], self._fleet.heard_us[device]
        who = AccountId(account.receiver, account.line, account.account)
        heard = f"last heard {iso(heard_us)}" if heard_us else "never heard"
        note = f"{heard}, expected every {self._fleet.interval_s[device]} s"
        home, ucr = home_of(account, who), self._fleet.devices[device]
        report = DeskReport(0, who, home, LOST, Priority.TECHNICAL, ucr, note=note, account=account)
        number, _ = self._placement.place(report, _arrival(change.at), batch)
        if number is not None:
            self._hold(device, number)

    def _open_for_many(self, incident: Incident, batch: Batch) -> int | None:
        if self.settings.alarms is AlarmPolicy.NONE:
            return None
        name = f"incident {incident.id}"
        note = (
            f"{len(incident.lost)} devices of {incident.label} fell silent together; see vetlla supervision incidents"
        )
        report = DeskReport(0, AccountId("", "", name), name, LOST_MANY, Priority.TECHNICAL, note=note)
        number, _ = self._placement.place(report, _arrival(incident.opened), batch)
        return number

    def _hold(self, device: int, alarm: int) -> None:
        self._alarms[device] = alarm
        self._devices_of[alarm] += 1

    def _release(self, device: int) -> int | None:
        """Separate a device from its alarm; return the alarm if no other device has it, else None."""
        alarm = self._alarms.pop(device, None)
        if alarm is None:
            return None
        self._devices_of[alarm] -= 1
        if self._devices_of[alarm]:
            return None
        del self._devices_of[alarm]
        return alarm

    def _lift(self, device: int, why: str) -> None:
        alarm = self._release(device)
        if alarm is not None:
            self._withdraw(alarm, why)

    def _withdraw(self, alarm: int, why: str) -> None:
        """Close the alarm if no operator holds it and no report joined it; otherwise add a note with the reason."""

        def step(batch: Batch) -> Deed | None:
            return self._desk.withdraw(alarm, why, self._clock.now(), batch)

        def done(deed: Deed | None, _: bool) -> None:  # noqa: FBT001 - the shape of Operation.done
            if isinstance(deed, tuple) and self._watchers:
                self._watchers.publish(deed.event(self._clock.now()))

        self._commit.perform(Operation(step, done))


def _arrival(at: Instant) -> Arrival:
    """Return a placeholder arrival for an alarm that the receiver itself raises."""
    return Arrival("supervision", "none", "", at, at)
