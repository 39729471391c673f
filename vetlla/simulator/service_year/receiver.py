"""Writes the alarms of the generated year into a journal, through the store's own writer, as the receiver would.

Each communication is a commit of its own, with its stamps and the audit of what the operators did, so ``vetlla audit
verify`` finds nothing wrong. There are no frames: a signal has no bytes. The machine of this journal never started, so
its name is invented, and its monotonic clock begins with the year.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from vetlla.domain.alarms import RECEIVER, Alarm, Cause, State
from vetlla.domain.clock import DAY_US, Instant, ManualClock
from vetlla.domain.signals import AccountId, Arrival, Priority, Signal
from vetlla.store.journal.batch import Batch
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import LOCK
from vetlla.store.journal.recovery import Boot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from vetlla.simulator.service_year.alarms import AlarmStory
    from vetlla.simulator.service_year.standards import Answering

BOOT: Final = 1
MACHINE: Final = "a generated year"
LISTENER: Final = "simulated"
COMMIT_US: Final = 400
"""From a report's receipt until it is durable; it is ready ``READY_US`` after its receipt."""
READY_US: Final = 500
CHECKPOINT_EVERY: Final = 2_000
"""Commits after which the log goes into the database."""


@dataclass(order=True, slots=True)
class _Step:
    """What happens to an alarm at a moment."""

    at_us: int
    number: int
    action: str = field(compare=False)
    alarm: Alarm = field(compare=False)


class ReceiverYear:
    """The journal of a year. A context manager."""

    def __init__(self, folder: Path, year: int, accounts: Mapping[str, str], limits: Answering) -> None:
        """Make the journal in a folder; ``accounts`` are those of the homes' terminals."""
        start = datetime(year, 1, 1, tzinfo=UTC)
        self._journal = Journal(folder, ManualClock(start))
        self._start_us = ManualClock(start).now().utc_us - DAY_US
        self._journal.begin_generated(Boot(BOOT, MACHINE, self._start_us))
        self._accounts = accounts
        self._limits = limits
        self._steps: list[_Step] = []
        self._batch = Batch(commit=1, boot=BOOT, began_us=self._start_us)
        self.alarms = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._act(None)
                self._journal.write(self._batch)
        finally:
            self._journal.close()
            self._journal.path.with_name(LOCK).unlink(missing_ok=True)  # it names this process

    def write(self, one: AlarmStory) -> None:
        """Write a communication and what was done about it. They must come in the order of their receipt."""
        self.alarms += 1
        number, account = self.alarms, self._accounts[one.home]
        received_us = one.established_us + one.t2_us - READY_US
        self._act(received_us)
        batch = self._batch
        batch.began_us = received_us
        arrival = Arrival(LISTENER, "tcp", "", self._instant(one.established_us), self._instant(received_us))
        signal = Signal("dc09", AccountId("", "", account), one.event, b"")
        batch.add_signal(signal, arrival, number=number, home=one.home, priority=one.priority, flags=0, alarm=number)
        kind, priority = one.event.kind.value, one.priority.name
        batch.record_effect(received_us, "open", f"alarm {number}", kind=kind, priority=priority, signal=number)
        batch.seal(received_us, number, number)
        self._journal.write(batch)
        if number % CHECKPOINT_EVERY == 0:
            self._journal.checkpoint()
        ready = self._instant(received_us + READY_US)
        self._batch = Batch(commit=number + 1, boot=BOOT, began_us=received_us)
        self._batch.add_stamps(number, received_us + COMMIT_US, ready.utc_us, ready.mono_us)
        self._plan(one, number, account, received_us, ready)

    def _plan(self, one: AlarmStory, number: int, account: str, received_us: int, ready: Instant) -> None:
        """Put down when the alarm is escalated, answered and closed."""
        assert one.wait_us is not None
        answered_us = ready.utc_us + one.wait_us
        is_late = one.priority is not Priority.TECHNICAL and one.wait_us > self._limits.never_over_us
        overdue_us = ready.utc_us + self._limits.never_over_us
        alarm = Alarm(
            id=number,
            home=one.home,
            account=account,
            kind=one.event.kind,
            priority=one.priority,
            why=f"{one.event.kind.value} {one.event.code}",
            first_signal=number,
            established_us=one.established_us,
            opened_us=received_us,
            ready_us=ready.utc_us,
            ready_mono_us=ready.mono_us,
            boot=BOOT,
            t2_us=one.t2_us,
            escalated=int(is_late),
            state=State.CLOSED,
            operator=f"OP{one.operator:02}",
            claimed_us=answered_us,
            answered_us=answered_us,
            t3_us=one.wait_us,
            closed_us=answered_us + one.handling_us,
            outcome=one.outcome,
            overdue_us=overdue_us if is_late else None,
        )
        if is_late:
            heapq.heappush(self._steps, _Step(overdue_us, number, "escalate", alarm))
        heapq.heappush(self._steps, _Step(answered_us, number, "answer", alarm))
        heapq.heappush(self._steps, _Step(answered_us + one.handling_us, number, "close", alarm))

    def _act(self, until_us: int | None) -> None:
        """Record what happened up to a moment, or all that is left. An alarm gets its row when it is closed."""
        while self._steps and (until_us is None or self._steps[0].at_us <= until_us):
            at_us, alarm, action = (step := heapq.heappop(self._steps)).at_us, step.alarm, step.action
            named = f"alarm {alarm.id}"
            if action == "escalate":
                self._batch.record(at_us, RECEIVER, action, named, why=Cause.UNANSWERED.value)
            elif action == "answer":
                self._batch.record(at_us, alarm.operator, action, named)
            else:
                assert alarm.outcome is not None
                figures = {"outcome": alarm.outcome.value, "t2_us": alarm.t2_us, "t3_us": alarm.t3_us}
                self._batch.record(at_us, alarm.operator, action, named, **figures)
                self._batch.alarms[alarm.id] = alarm

    def _instant(self, utc_us: int) -> Instant:
        return Instant(utc_us, utc_us - self._start_us)
