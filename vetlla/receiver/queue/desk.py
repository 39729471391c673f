"""The desk: the queue in memory, on which operators work.

It runs only in the event loop, so two operators can never get the same alarm: the second request sees the result of the
first. The batch that the desk is given writes each action. ``placement.py`` lets signals open and join alarms. If a
batch is rolled back, only that is undone; the actions of operators stay, and are written later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import RECEIVER, Alarm, AlarmOutcome, State
from vetlla.receiver.queue.alarm_view import AlarmView, Deed, News, news_of
from vetlla.receiver.queue.calls import Calls, reports
from vetlla.receiver.queue.limits import QueueLimits
from vetlla.receiver.queue.open_alarms import OpenAlarms
from vetlla.receiver.queue.placement import Placement
from vetlla.receiver.queue.tested_accounts import AccountsOnTest
from vetlla.service.queue import marks, order, steps
from vetlla.service.queue.account_matching import is_of
from vetlla.service.queue.emergencies import Closed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.domain.accounts import Account, AccountBook, OnTest
    from vetlla.domain.clock import Instant
    from vetlla.domain.previous_run import Recovered
    from vetlla.receiver.counters import Counters
    from vetlla.settings.model import Settings
    from vetlla.settings.queue import QueueSettings
    from vetlla.store.journal.batch import Batch


class Desk:
    """The open alarms, the operators who hold them, and the accounts on test."""

    def __init__(self, settings: QueueSettings, recovered: Recovered, counters: Counters) -> None:
        self.limits = QueueLimits.of(settings)
        self._calls = Calls(counters)
        self._calls.apply(self.limits.marks)
        self.on_due: Callable[[Alarm], None] = lambda _: None
        """Called with each alarm whose next mark was set or changed."""
        self.tests = AccountsOnTest(recovered.on_test, recovered.boot)
        self._open = OpenAlarms()
        self._closed = Closed()
        self._closed_before = recovered.closed
        self.placement = Placement(settings, recovered, self._open, self._closed, self.tests)
        for alarm in recovered.open_alarms:
            kept = alarm if alarm.boot == recovered.boot else order.after_reboot(alarm, recovered.boot)
            self._open.add(AlarmView(kept, recovered.tallies[alarm.id]))

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings. Alarms keep the marks that they already have."""
        self.limits = QueueLimits.of(settings.queue)
        self._calls.apply(self.limits.marks)

    def resume(self, now: Instant, batch: Batch) -> None:
        """Go on after a restart: open alarms get back their marks, and closed emergencies are remembered.

        An alarm whose stamp was lost with the last process becomes ready now, and the audit records that.
        """
        self.tests.resume(now)
        for closed in self._closed_before:
            left_us = self.limits.chain_window_us - max(0, now.utc_us - (closed.closed_us or 0))
            self._closed.add(closed, now.mono_us + left_us, now.mono_us)
        self._closed_before = []
        for alarm, tally in list(self._open.values()):
            if alarm.ready_us is None:
                began_us = alarm.opened_us if alarm.chained_to else alarm.established_us
                self._make_ready(alarm.id, now, max(0, now.utc_us - began_us), batch)
                batch.record(now.utc_us, RECEIVER, "ready", f"alarm {alarm.id}", why="stamp lost in a restart")
            else:
                view = AlarmView(marks.after_restart(alarm, self.limits.by_receiver(now), self.limits.marks), tally)
                self._change(view, batch)
            view = self._open[alarm.id]
            if view.alarm.t3_us is None:
                self._calls.ready(view.alarm, reports(view), now.mono_us - (order.waited_us(view.alarm, now) or 0))

    # --- the batch of a commit ---------------------------------------------------------------------------------------

    def committed(self, now: Instant, batch: Batch) -> list[tuple[News, AlarmView]]:
        """Return what frames changed, which is durable now. New alarms become ready, and their *t2* ends.

        The rows that record this go with the next batch. After this call only later changes can be rolled back.
        """
        news = []
        alarms, calls, placement = self._open, self._calls, self.placement
        for number, established_mono_us in placement.opened.items():
            view = self._make_ready(number, now, now.mono_us - established_mono_us, batch)
            calls.ready(view.alarm, reports(view), now.mono_us)
            news.append((News.OPENED, view))
        for number, before in placement.joined.items():
            alarm, tally = view = alarms[number]
            if more := tally.signals - before.tally.signals:
                calls.ready(alarm, more, now.mono_us)
            if more and alarm is before.alarm:
                news.append((News.JOINED, view))
                continue
            what = news_of(before, view)
            if what is News.LIFTED:
                self.on_due(alarm)
            news.append((what, view))
        calls.answered_by_receiver(placement.unseen)
        placement.begin()
        return news

    def _make_ready(self, number: int, now: Instant, t2_us: int, batch: Batch) -> AlarmView:
        alarm, tally = self._open[number]
        due_us = marks.mark_when_ready_us(alarm, now, self.limits.marks)
        alarm = alarm._replace(ready_us=now.utc_us, ready_mono_us=now.mono_us, t2_us=t2_us, due_mono_us=due_us)
        view = AlarmView(alarm, tally)
        self._change(view, batch)
        return view

    def _change(self, view: AlarmView, batch: Batch) -> None:
        """Replace the view of an open alarm; the alarm's row goes with the batch."""
        alarm = view.alarm
        if alarm is not self._open[alarm.id].alarm:
            batch.alarms[alarm.id] = alarm
        self._open[alarm.id] = view
        self.on_due(alarm)

    # --- actions of operators ---------------------------------------------------------------------------------------

    def act(
        self,
        number: int,
        acting: steps.OperatorAction,
        action: str,
        step: Callable[[Alarm], Alarm],
        batch: Batch,
        **detail: object,
    ) -> Deed:
        """Apply an operator's step to an alarm. Raises UsageError if the queue's rules forbid it."""
        before, tally = self.find(number)
        alarm = step(before)
        holder = order.as_of(before, acting.now).operator
        if holder and holder not in {acting.operator, alarm.operator}:
            detail = {"from": holder} | detail
        if before.t3_us is None and alarm.t3_us is not None:
            self._calls.ended(alarm, acting.now.mono_us)
        view = AlarmView(alarm, tally)
        if before.on_test and not alarm.on_test:
            self._calls.ready(alarm, reports(view), acting.now.mono_us)
        if alarm.state is State.CLOSED:
            batch.alarms[number] = alarm
            self._open.remove(before)
            self._closed.add(alarm, acting.now.mono_us + self.limits.chain_window_us, acting.now.mono_us)
            # The contract is settled by these figures, and in the audit they cannot be altered afterwards.
            figures = {"t2_us": alarm.t2_us, "t3_us": alarm.t3_us}
            batch.record(acting.now.utc_us, acting.operator, action, f"alarm {number}", **detail, **figures)
        else:
            self._change(view, batch)
            batch.record(acting.now.utc_us, acting.operator, action, f"alarm {number}", **detail)
        return Deed(view, action, acting.operator, acting.now, detail)

    def note(self, number: int, acting: steps.OperatorAction, text: str, batch: Batch) -> Deed:
        """Add a note to an alarm. A note of the holder renews the lease; other operators may add notes, too."""
        view = self.find(number)
        digest = batch.add_note(number, acting.now.utc_us, acting.operator, text)
        if order.as_of(view.alarm, acting.now).operator == acting.operator:
            view = self.act(number, acting, "note", lambda held: steps.touch(held, acting), batch, sha256=digest).view
        else:
            batch.record(acting.now.utc_us, acting.operator, "note", f"alarm {number}", sha256=digest)
        return Deed(view, "note", acting.operator, acting.now, {"text": text})

    def test(
        self,
        account: Account,
        acting: steps.OperatorAction,
        seconds: int,
        reason: str,
        batch: Batch,
        *,
        book: AccountBook,
    ) -> Tested:
        """Put a registered account on test for a time, or end its test (0 seconds). Raises UsageError if none runs.

        A person who ends a test confirms that its calls belong to it, so they are closed. A person who renews it is
        still there, so its emergencies are shown apart for longer.
        """
        test = self.tests.put(account, acting, seconds, reason, batch)
        apart = [alarm for alarm in self.alarms() if alarm.on_test and is_of(alarm, account, book)]
        if test is None:
            own = acting._replace(supervisor=True)  # also closes an alarm that a colleague has claimed

            def close(held: Alarm) -> Alarm:
                return steps.close(held, own, AlarmOutcome.TEST)._replace(t3_us=None)

            deeds = [self.act(alarm.id, own, "close", close, batch, outcome=AlarmOutcome.TEST.value) for alarm in apart]
            return Tested(None, deeds)
        for alarm in apart:
            if alarm.priority in marks.REPEATED:
                due_us = self.tests.mark_us(account, alarm.priority, acting.now, self.limits.test_us)
                self._change(AlarmView(alarm._replace(due_mono_us=due_us), self._open[alarm.id].tally), batch)
        return Tested(test, [])

    def withdraw(self, number: int, why: str, now: Instant, batch: Batch) -> Deed | None:
        """Close the alarm of a loss if no report joined it and no operator holds it; else add the reason as a note.

        Return None if there is no such open alarm.
        """
        if number not in self._open:
            return None
        view, acting = self._open[number], self.limits.by_receiver(now)
        alarm = order.as_of(view.alarm, now)
        if alarm.state is not State.WAITING or not view.is_own_loss:
            return self.note(number, acting, why, batch)

        def close(held: Alarm) -> Alarm:
            # No person called, so no communication has waited.
            return steps.close(held, acting, AlarmOutcome.TECHNICAL)._replace(t3_us=None)

        return self.act(number, acting, "close", close, batch, outcome=AlarmOutcome.TECHNICAL.value, why=why)

    # --- reading ----------------------------------------------------------------------------------------------------

    def find(self, number: int) -> AlarmView:
        """Return the open alarm of this number. Raises UsageError if there is no such alarm."""
        return self._open.find(number)

    def get(self, number: int) -> AlarmView | None:
        """Return the open alarm of this number, or None."""
        return self._open.get(number)

    def ready(self) -> Iterator[Alarm]:
        """Yield the open alarms that operators may work on, in no order; alarms may be opened and closed meanwhile.

        Alarms of a batch that is not durable yet are left out, because it may still be rolled back.
        """
        return (alarm for alarm, _ in list(self._open.values()) if alarm.ready_us)

    def alarms(self) -> Iterator[Alarm]:
        """Return the open alarms in their latest state, in no order."""
        return (alarm for alarm, _ in self._open.values())


class Tested(NamedTuple):
    """The result of an order to test an account."""

    test: OnTest | None
    """The test that runs now, or None if it was ended."""
    closed: list[Deed]
    """The closing of each call of the test that ended."""
