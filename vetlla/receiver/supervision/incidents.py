"""Combines many losses at once into one incident that lists its members.

Devices that are lost together share a label. It stands for a cell, a SIM operator, a broker or the receiver's own
network. The labels of a device are those of its account, the listener through which it was last heard, and the
receiver itself.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US, Instant
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.service.supervision.rules import Collapse, common_cause, group_failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vetlla.domain.supervision import KeptSupervision
    from vetlla.receiver.supervision.fleet import Fleet

RECEIVER = "receiver"
"""The label that every device has. It stands for the receiver and its own network."""


@dataclass(slots=True, kw_only=True)
class Incident:
    """One incident. ``members`` are all devices that were lost in it; ``lost`` are those that are still lost."""

    id: int
    label: str
    opened: Instant
    """When it began in this run; the start of this run if a previous run opened it."""
    opened_us: int
    """When it began, UTC."""
    least: int
    """The incident is over when fewer devices than this are lost."""
    members: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    alarm: int | None = None
    closed_us: int | None = None
    age_before_us: int = 0
    """Its age when this run began."""

    def age_s(self, now: Instant) -> int:
        """Return the age of the incident in seconds."""
        return (self.age_before_us + now.mono_us - self.opened.mono_us) // SECOND_US


class _Loss(NamedTuple):
    device: int
    at_us: int


class Incidents:
    """Decides which losses belong together. Lives in the event loop."""

    def __init__(self, fleet: Fleet, rule: Collapse, listener_label: Callable[[int], str]) -> None:
        self.rule = rule
        self.open: dict[int, Incident] = {}
        self.of: dict[int, Incident] = {}
        """By lost device: its incident."""
        self._fleet = fleet
        self._listener_label = listener_label
        self._next_id = 1
        self._sizes: dict[str, int] = {}
        self._terminals = 0
        self._losses: dict[str, deque[_Loss]] = {}
        """By label: the losses of terminals within one interval, to find a small group that failed."""
        self._recent: deque[_Loss] = deque()
        """The losses of the last ``rule.window_s`` seconds, to find a burst."""
        self._lost_at: dict[int, int] = {}

    def count_groups(self) -> None:
        """Count the terminals with each label; called after each change of the registry."""
        sizes: dict[str, int] = {}
        self._terminals = 0
        for account, parent in zip(self._fleet.accounts, self._fleet.parents, strict=True):
            if parent == NO_PARENT:
                self._terminals += 1
                for label in account.labels:
                    sizes[label] = sizes.get(label, 0) + 1
        self._sizes = sizes

    def resume(self, kept: KeptSupervision, now: Instant) -> None:
        """Continue the open incidents of the previous run; a device that is silent since then may still join them."""
        self._next_id = kept.next_incident
        for row in kept.incidents:
            self.open[row.id] = Incident(
                id=row.id,
                label=row.label,
                opened=now,
                opened_us=row.opened_us,
                least=row.least,
                alarm=row.alarm_id,
                age_before_us=max(0, now.utc_us - row.opened_us),
            )
        for incident, device in kept.members:
            self.open[incident].members.add(device)
        for device, number, _ in kept.lost:
            if number is not None and number in self.open:
                self._join(self.open[number], device)

    def labels(self, device: int) -> tuple[str, ...]:
        """Return the labels that a device shares with other devices."""
        heard_through = self._listener_label(self._fleet.listener[device])
        return (*self._fleet.accounts[device].labels, *((heard_through,) if heard_through else ()), RECEIVER)

    def lost(self, device: int, silent_since_us: int, now: Instant) -> Incident | None:
        """Take a loss and return its incident, which may begin with this loss, or None.

        ``silent_since_us`` is monotonic. A device that was heard after an incident began does not join it.
        """
        labels = self.labels(device)
        for incident in self.open.values():
            if incident.label in labels and silent_since_us <= incident.opened.mono_us:
                self._join(incident, device)
                return incident
        loss = _Loss(device, now.mono_us)
        self._lost_at[device] = now.mono_us
        self._recent.append(loss)
        burst = self._burst(now)
        if burst is not None or self._fleet.parents[device] != NO_PARENT:
            return burst  # only terminals count for a small group: the UCRs of a lost terminal are unknown
        for label in labels:
            self._losses.setdefault(label, deque()).append(loss)
        return self._small_group(labels, self._fleet.interval_s[device], now)

    def back(self, device: int) -> Incident | None:
        """Remove a device that is no longer lost. Return the incident that this ends and removes, or None."""
        self._lost_at.pop(device, None)
        incident = self.of.pop(device, None)
        if incident is None:
            return None
        incident.lost.discard(device)
        if len(incident.lost) >= incident.least:
            return None
        del self.open[incident.id]
        for left in incident.lost:
            del self.of[left]
        return incident

    # --- what belongs together --------------------------------------------------------------------------------------

    def _burst(self, now: Instant) -> Incident | None:
        since_us = now.mono_us - round(self.rule.window_s * SECOND_US)
        self._recent = self._standing(self._recent, since_us)
        # Count one loss for each home: a terminal may name UCRs that do not exist, and all of them fall silent with it.
        recent = list({self._home(loss.device): loss.device for loss in self._recent}.values())
        sizes: Mapping[str, int] = defaultdict(lambda: self._terminals, {RECEIVER: self._terminals + 1} | self._sizes)
        label = common_cause([self.labels(device) for device in recent], sizes, self.rule)
        if label is None:
            return None
        lost = [loss.device for loss in self._recent if label in self.labels(loss.device)]
        return self._open(label, lost, self.rule.burst, now)

    def _home(self, device: int) -> str | int:
        """Return the home of a device; if its account names none, return the number of its terminal."""
        parent = self._fleet.parents[device]
        return self._fleet.accounts[device].home or (device if parent == NO_PARENT else parent)

    def _small_group(self, labels: Iterable[str], interval_s: int, now: Instant) -> Incident | None:
        for label in labels:
            size = self._sizes.get(label, self._terminals)
            if group_failed(len(self._losses[label]), size, self.rule):
                since_us = now.mono_us - interval_s * SECOND_US
                self._losses[label] = standing = self._standing(self._losses[label], since_us)
                if group_failed(len(standing), size, self.rule):
                    return self._open(label, [loss.device for loss in standing], self.rule.share_least, now)
        return None

    def _standing(self, losses: Iterable[_Loss], since_us: int) -> deque[_Loss]:
        """Return the losses since an instant whose devices are still lost and belong to no incident."""
        return deque(loss for loss in losses if loss.at_us >= since_us and self._lost_at.get(loss.device) == loss.at_us)

    def _open(self, label: str, devices: Iterable[int], least: int, now: Instant) -> Incident:
        incident = Incident(id=self._next_id, label=label, opened=now, opened_us=now.utc_us, least=least)
        self._next_id += 1
        self.open[incident.id] = incident
        for device in devices:
            self._join(incident, device)
        return incident

    def _join(self, incident: Incident, device: int) -> None:
        self._lost_at.pop(device, None)
        incident.members.add(device)
        incident.lost.add(device)
        self.of[device] = incident
