"""Shows what was committed: new alarms become ready, and watchers receive each signal and each change of an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import structlog

from vetlla.domain.alarms import Cause
from vetlla.domain.clock import SECOND_US, iso
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.queue.alarm_view import News
from vetlla.receiver.queue.calls import reports
from vetlla.receiver.watchers import happening

if TYPE_CHECKING:
    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Instant
    from vetlla.receiver.control.messages.watch import SignalFields
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.queue.placement import Placement
    from vetlla.receiver.watchers import Watchers
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()

_SHOWN = ("protocol", "account", "home", "kind", "phase", "code", "system", "device", "area", "text", "alarm_id")
"""Values of a signal that watchers receive."""

_ACTIONS = {
    News.OPENED: "open",
    News.LIFTED: "lift",
    News.JOINED: "join",
    News.REPEATED: "repeat",
    News.ESCALATED: "escalate",
}
"""The audit's words for what frames do to alarms."""


class Announcer(Participant):
    """The last participant of a commit, after those that change alarms. Runs in the event loop."""

    def __init__(
        self,
        *,
        settings: Settings,
        desk: Desk,
        placement: Placement,
        watchers: Watchers,
        counters: Counters,
    ) -> None:
        self._t2_max_us = round(settings.queue.t2_max_s * SECOND_US)
        self._desk = desk
        self._placement = placement
        self._watchers = watchers
        self._counters = counters

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self._t2_max_us = round(settings.queue.t2_max_s * SECOND_US)

    def committed(self, batch: Batch, now: Instant, next_batch: Batch) -> None:
        """Make the alarms of the batch ready, and show them. The rows that record this go with the next batch."""
        watchers = self._watchers or None  # Watchers is false while no watcher listens
        if watchers is not None:
            for signal in batch.fields_of_signals():
                watchers.publish({**happening("signal", now, "store"), "signal": _shown(signal)})
        for news, view in self._desk.committed(now, next_batch):
            if news is News.JOINED and watchers is None:
                continue
            if news is News.OPENED and not view.tally.signals and reports(view):  # a refusal has no signal in the batch
                self._counters.ready([view.alarm.t2_us or 0], self._t2_max_us)
            why = {"why": Cause.TOLD_AGAIN.value} if news is News.ESCALATED else {}
            if why:
                self._counters.escalations[view.alarm.priority, Cause.TOLD_AGAIN] += 1
                log.warning("alarm.escalated", alarm=view.alarm.id, priority=view.alarm.priority.name, **why)
            if watchers is not None:
                watchers.publish(view.event(news.value, _ACTIONS[news], now, why))

    def rolled_back(self, batch: Batch) -> None:
        """Undo what the batch changed in the queue."""
        self._placement.rolled_back(batch)


def _shown(signal: dict[str, Any]) -> SignalFields:
    fields = {name.removesuffix("_id"): signal[name] for name in _SHOWN}
    return cast("SignalFields", {"id": signal["id"], "received": iso(signal["received_us"])} | fields)
