"""The desk: the queue in memory, which decides every change.

It runs only in the event loop, so two operators can never get the same alarm: the second request sees the result of the
first. The batch that the desk is given writes its decisions. If that batch is rolled back, the desk undoes what frames
had changed (``rolled_back``). The actions of operators stay, and are written later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import RECEIVER, Alarm, AlarmOutcome, Cause, State, Tally
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import AccountId, Flag, Kind, Priority
from vetlla.receiver.queue.alarm_view import AlarmView, Deed
from vetlla.receiver.queue.calls import Calls, reports
from vetlla.receiver.queue.on_test import AccountsOnTest
from vetlla.receiver.queue.open_alarms import Line, OpenAlarms
from vetlla.receiver.queue.report import UNKNOWN, News, Report, news_of, reason_of
from vetlla.service.queue import steps as queue
from vetlla.service.queue.emergencies import Closed, Emergency
from vetlla.service.queue.naming import is_of
from vetlla.service.queue.quiet import QuietLines, UnknownCode
from vetlla.service.queue.runaway import Runaways, Utterance
from vetlla.service.queue.strangers import Strangers
from vetlla.service.queue.triage import is_old, joins, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.domain.accounts import Account, AccountBook, OnTest
    from vetlla.domain.clock import Instant
    from vetlla.domain.previous_run import Recovered
    from vetlla.domain.signals import Arrival
    from vetlla.receiver.counters import Counters
    from vetlla.settings.model import QueueSettings, Settings
    from vetlla.store.journal.batch import Batch

_UNKNOWN_ACCOUNT, _ON_TEST, _RUNAWAY = Flag.UNKNOWN_ACCOUNT.value, Flag.ON_TEST.value, Flag.RUNAWAY.value
_ROUTINE = Priority.ROUTINE
_UNKNOWN, _UNREADABLE = Kind.UNKNOWN, Kind.UNREADABLE
_NO_ACCOUNT = AccountId("", "", "")


class Desk:
    """The open alarms, the operators who hold them, and the accounts on test."""

    def __init__(self, settings: QueueSettings, recovered: Recovered, counters: Counters) -> None:
        self._calls = Calls(counters)
        self._apply(settings)
        self.on_due: Callable[[Alarm], None] = lambda _: None
        """Called with each alarm whose next mark was set or changed."""
        self.tests = AccountsOnTest(recovered.on_test, recovered.boot)
        self._boot = recovered.boot
        self._next_alarm = recovered.next_alarm
        self.open = self._cards = OpenAlarms()
        """Other parts read it as a quick check whether an alarm is open."""
        self._closed = Closed()
        self._closed_before = recovered.closed
        self._runaways = Runaways()
        self._strangers = Strangers()
        self._quiet = QuietLines()
        self._opened: dict[int, int] = {}
        """Alarms that the batch under way opens, with the monotonic instant of their communication's set-up."""
        self._joined: dict[int, AlarmView] = {}
        """Cards as they were before the batch under way."""
        self._unseen = 0
        """Number of signals in the batch under way that no operator has to see, without accounts on test."""
        for alarm in recovered.open_alarms:
            kept = alarm if alarm.boot == recovered.boot else queue.after_reboot(alarm, recovered.boot)
            self._cards.lay(AlarmView(kept, recovered.tallies[alarm.id]))

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings. Alarms keep the marks that they already have."""
        self._apply(settings.queue)

    def _apply(self, settings: QueueSettings) -> None:
        self.marks = queue.Marks(
            round(settings.t3_warn_s * SECOND_US), round(settings.t3_max_s * SECOND_US), settings.t3_priorities
        )
        self._hold_us = round(settings.hold_s * SECOND_US)
        self._calls.apply(self.marks)
        self._test_us = round(settings.test_unseen_s * SECOND_US)
        self._chain_window_us = round(settings.chain_window_s * SECOND_US)
        self._runaway_window_us = round(settings.runaway_window_s * SECOND_US)
        self._runaway_signals = settings.runaway_signals

    def resume(self, now: Instant, batch: Batch) -> None:
        """Go on after a restart: open alarms get back their marks, and closed emergencies are remembered.

        An alarm whose stamp was lost with the last process becomes ready now, and the audit records that.
        """
        self.tests.resume(now)
        for closed in self._closed_before:
            left_us = self._chain_window_us - max(0, now.utc_us - (closed.closed_us or 0))
            self._closed.add(closed, now.mono_us + left_us, now.mono_us)
        self._closed_before = []
        for alarm, tally in list(self._cards.values()):
            if alarm.ready_us is None:
                began_us = alarm.opened_us if alarm.chained_to else alarm.established_us
                self._make_ready(alarm.id, now, max(0, now.utc_us - began_us), batch)
                batch.record(now.utc_us, RECEIVER, "ready", f"alarm {alarm.id}", why="stamp lost in a restart")
            else:
                card = AlarmView(queue.after_restart(alarm, self.receiver(now), self.marks), tally)
                self._change(card, batch)
            card = self._cards[alarm.id]
            if card.alarm.t3_us is None:
                self._calls.ready(card.alarm, reports(card), now.mono_us - (queue.waited_us(card.alarm, now) or 0))

    def receiver(self, now: Instant) -> queue.OperatorAction:
        """Return the hand for the receiver's own actions, to which the rules about operators do not apply."""
        return queue.OperatorAction(RECEIVER, now, 0, supervisor=True, hold_us=self._hold_us)

    # --- changes by frames ------------------------------------------------------------------------------------------

    def place(
        self, report: Report, arrival: Arrival, batch: Batch, *, told_in: int | None = None
    ) -> tuple[int | None, int]:
        """Let a signal open an alarm or join one; return the alarm's number, if any, and the signal's flags.

        ``told_in`` is the alarm of an earlier report that this one repeats with additions.
        """
        now = arrival.received
        number, who, home, event, priority, device, known, _, _, account = report
        on_test = bool(self.tests.by_place) and self.tests.covers(account, now)
        flags = (0 if known else _UNKNOWN_ACCOUNT) | (_ON_TEST if on_test else 0)
        if told_in is not None:
            self._join(self._cards[told_in], report, now, batch, runaway=False)
            self._tell_supervisor(told_in, now, batch)
            return told_in, flags
        kind = event.kind
        apart = kind is _UNKNOWN or kind is _UNREADABLE  # for every report; line_of would cost ten times as much
        name = line_of(kind, priority, who.account) if apart else ""
        line = (home, known, on_test, name)
        if name and kind is _UNKNOWN:
            return self._place_unknown(line, report, arrival, batch, on_test=on_test), flags
        before = self._cards.newest(line)
        if before and now.mono_us - before.tally.joined_us > self._chain_window_us:
            before = None  # a new alarm starts the contract's clock again
        joined = before and joins(before.alarm, priority, now)
        if priority is _ROUTINE:
            if before and joined:
                return self._join(before, report, now, batch, runaway=False), flags
            self._unseen += not on_test
            return None, flags
        said = Utterance(home, who, device, event, on_test)
        repetition = self._runaways.count(said, now.mono_us, self._runaway_window_us)
        runaway = repetition.count > self._runaway_signals
        flags |= _RUNAWAY if runaway else 0
        if before and joined:
            alarm = self._join(before, report, now, batch, runaway=runaway)
        elif runaway and priority is not Priority.LIFE and (group := repetition.alarm):
            # An operator has handled the group, but the device goes on: keep the signal there, without a new alarm.
            if group in self._cards:
                self._join(self._cards[group], report, now, batch, runaway=True)
            else:
                self._unseen += bool(number) and not on_test
            return group, flags
        else:
            alarm = self._begin_alarm(before, report, arrival, batch, on_test=on_test, runaway=runaway)
        if runaway:
            repetition.alarm = alarm
        return alarm, flags

    def is_news(self, report: Report, now: Instant) -> bool:
        """Return True if a report would open an alarm, or make one more urgent."""
        on_test = self.tests.covers(report.account, now)
        name = line_of(report.event.kind, report.priority, report.who.account)
        before = self._cards.newest((report.home, report.known, on_test, name))
        if before is None:
            code = UnknownCode(report.home, report.who, report.device, report.event.code, on_test)
            return report.event.kind is not _UNKNOWN or self._quiet.find(code, now.mono_us) is None
        return (
            report.priority < before.alarm.priority
            or now.mono_us - before.tally.joined_us > self._chain_window_us
            or not joins(before.alarm, report.priority, now)
        )

    def _place_unknown(self, line: Line, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool) -> int:
        """Let an unknown code join its device's open alarm, or keep it with the one that an operator has closed."""
        now = arrival.received
        code = UnknownCode(report.home, report.who, report.device, report.event.code, on_test)
        if held := self._cards.newest(line):
            number = self._join(held, report, now, batch, runaway=False)
        elif (number := self._quiet.find(code, now.mono_us) or 0) == 0:
            number = self._begin_alarm(None, report, arrival, batch, on_test=on_test, runaway=False)
        else:
            self._unseen += bool(report.number) and not on_test
        if self._quiet.find(code, now.mono_us) != number:
            self._quiet.remember(code, number, now.mono_us)
        return number

    def _tell_supervisor(self, number: int, now: Instant, batch: Batch) -> None:
        """Escalate an answered alarm whose caller has reported it again, if its operator shows no activity."""
        alarm, tally = self._cards[number]
        if alarm.state is State.ANSWERED and not alarm.on_test and not queue.holder_active(alarm, now):
            alarm = queue.put_before(alarm, self.receiver(now), Cause.TOLD_AGAIN)
            self._cards[number] = AlarmView(alarm, tally)
            batch.alarms[number] = alarm
            batch.record_effect(now.utc_us, "escalate", f"alarm {number}", why=Cause.TOLD_AGAIN.value)

    def repeat(self, number: int, home: str, account: Account | None, now: Instant, batch: Batch) -> None:
        """Show on an open alarm that one of its signals came again. It may be a new call that has the same number."""
        alarm, tally = card = self._cards[number]
        if number not in self._opened:
            self._joined.setdefault(number, card)
        if account is not None and alarm.unknown_account:
            alarm = batch.alarms[number] = _of_home(alarm, home, account.account)
        self._cards[number] = AlarmView(
            alarm, tally._replace(told_again=tally.told_again + 1, told_again_us=now.utc_us)
        )
        self._tell_supervisor(number, now, batch)

    def has_emergency(self, home: str, account: Account | None, now: Instant) -> bool:
        """Return True if an alarm that may be a home's call for help is open, or was closed a short while ago."""
        chain = (home, account is not None, self.tests.covers(account, now))
        return bool(self._cards.emergency(chain) or self._closed.find(chain, now.mono_us))

    def may_repeat(self, number: int | None, account: Account | None, now: Instant) -> bool:
        """Return True if the alarm of this number is open and may count a retry of this account.

        An alarm that came during a test is shown apart and has no marks, so it cannot take a call after the test. The
        alarm of a crowd of strangers cannot take a home's call; the account may have been registered meanwhile.
        """
        if number is None or number not in self._cards:
            return False
        alarm = self._cards[number].alarm
        if account is not None and alarm.unknown_account and alarm.account.upper() != account.account.upper():
            return False
        return not alarm.on_test or self.tests.covers(account, now)

    def _join(self, card: AlarmView, report: Report, now: Instant, batch: Batch, *, runaway: bool) -> int:
        alarm, (signals, last_signal, joined_us, told_again, told_again_us) = card
        signal, _, _, _, priority, _, is_known, _, note, _ = report
        number, before = alarm.id, alarm.priority
        if number not in self._opened:
            self._joined.setdefault(number, card)
        if priority < before:
            alarm = alarm._replace(priority=priority, kind=report.event.kind, why=reason_of(report))
            alarm = queue.await_answer(alarm, now, self.marks)
            if alarm.on_test:
                alarm = alarm._replace(due_mono_us=self._test_mark_us(report.account, priority, now))
            batch.record_effect(now.utc_us, "lift", f"alarm {number}", to=priority.name, signal=signal)
        elif (priority is before and is_old(alarm.why) and not is_old(note)) or (
            not signal and report.event.kind is not Kind.DEVICE_LOST and _is_own_loss(card)
        ):
            # A current event must not show the age of the buffered event that opened the alarm. And a refusal has no
            # signal, so only the alarm's kind shows that a device sent something; the kind also survives a restart.
            alarm = alarm._replace(kind=report.event.kind, why=reason_of(report))
        if runaway and not alarm.runaway:
            alarm = alarm._replace(runaway=True)
            batch.record_effect(now.utc_us, "runaway", f"alarm {number}", signal=signal)
        if is_known and alarm.unknown_account:
            alarm = _of_home(alarm, report.home, report.who.account)
        if alarm is not card.alarm:
            batch.alarms[number] = alarm
        if signal:
            signals, last_signal = signals + 1, signal
        if priority is not _ROUTINE:
            joined_us = now.mono_us
        self._cards[number] = AlarmView(alarm, Tally(signals, last_signal, joined_us, told_again, told_again_us))
        return number

    def _begin_alarm(
        self, before: AlarmView | None, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool, runaway: bool
    ) -> int:
        """Open an alarm; a stranger in a crowd joins the alarm that the crowd shares."""
        if report.known or before is not None:
            return self._open(before, report, arrival, batch, on_test=on_test, runaway=runaway)
        now, strangers = arrival.received, self._strangers
        window_us = self._runaway_window_us
        crowd = strangers.crowd(arrival.host, now.mono_us, window_us=window_us, open_alarms=self._cards.strangers)
        if not crowd:
            return self._open(None, report, arrival, batch, on_test=on_test, runaway=runaway)
        shared = self._cards.get(strangers.shared(crowd) or 0)
        if shared and joins(shared.alarm, report.priority, now):
            return self._join(shared, report, now, batch, runaway=True)
        note = f"one of many unknown callers of {crowd}" + (f"; {report.note}" if report.note else "")
        crowded = report._replace(home=f"callers of {crowd}", who=_NO_ACCOUNT, note=note)
        number = self._open(shared, crowded, arrival, batch, on_test=on_test, runaway=True)
        strangers.share(crowd, number)
        return number

    def _open(
        self, before: AlarmView | None, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool, runaway: bool
    ) -> int:
        number = self._next_alarm
        self._next_alarm += 1
        now = arrival.received
        begun = self._emergency(before, report, now, on_test=on_test)
        alarm = Alarm(
            id=number,
            home=report.home,
            account=report.who.account,
            kind=report.event.kind,
            priority=report.priority,
            why=reason_of(report),
            first_signal=report.number,
            established_us=begun.established_us if begun else arrival.established.utc_us,
            opened_us=now.utc_us,
            boot=self._boot,
            chained_to=begun.alarm if begun else None,
            unknown_account=not report.known,
            on_test=on_test,
            due_mono_us=self._test_mark_us(report.account, report.priority, now) if on_test else None,
            runaway=runaway,
        )
        self._cards.lay(AlarmView(alarm, Tally(1 if report.number else 0, report.number, now.mono_us)))
        self._opened[number] = arrival.established.mono_us
        batch.alarms[number] = alarm
        kind, priority = alarm.kind.value, alarm.priority.name
        batch.record_effect(now.utc_us, "open", f"alarm {number}", kind=kind, priority=priority, signal=report.number)
        return number

    def _emergency(self, before: AlarmView | None, report: Report, now: Instant, *, on_test: bool) -> Emergency | None:
        """Return what a new alarm of a home continues: ``before``, or the home's emergency that has not ended."""
        if before is not None:
            return Emergency(before.alarm.id, before.alarm.established_us)
        if report.event.kind is _UNKNOWN and report.priority is Priority.TECHNICAL:
            return None  # it has a line of its own, which holds no emergency
        chain = (report.home, report.known, on_test)
        return self._cards.emergency(chain) or self._closed.find(chain, now.mono_us)

    def committed(self, now: Instant, batch: Batch) -> list[tuple[News, AlarmView]]:
        """Return what frames changed, which is durable now. New alarms become ready, and their *t2* ends.

        The rows that record this go with the next batch. After this call only later changes can be rolled back.
        """
        news = []
        cards, calls = self._cards, self._calls
        for number, established_mono_us in self._opened.items():
            card = self._make_ready(number, now, now.mono_us - established_mono_us, batch)
            calls.ready(card.alarm, reports(card), now.mono_us)
            news.append((News.OPENED, card))
        for number, before in self._joined.items():
            alarm, tally = card = cards[number]
            if more := tally.signals - before.tally.signals:
                calls.ready(alarm, more, now.mono_us)
            if more and alarm is before.alarm:
                news.append((News.JOINED, card))
                continue
            what = news_of(before, card)
            if what is News.LIFTED:
                self.on_due(alarm)
            news.append((what, card))
        calls.answered_by_receiver(self._unseen)
        self._begin()
        return news

    def _begin(self) -> None:
        """Begin the next batch."""
        self._opened.clear()
        self._joined.clear()
        self._unseen = 0

    def rolled_back(self, batch: Batch) -> None:
        """Undo what frames changed since ``committed``, in memory and in the batch. Operators' actions stay there."""
        for number in self._opened:
            self._cards.remove(self._cards[number].alarm)
            del batch.alarms[number]
        for number, card in self._joined.items():
            self._cards[number] = card
            if number in batch.alarms:
                batch.alarms[number] = card.alarm
        self._next_alarm -= len(self._opened)
        self._begin()
        self._runaways.forget()
        self._strangers.forget()
        self._quiet.forget()

    def _make_ready(self, number: int, now: Instant, t2_us: int, batch: Batch) -> AlarmView:
        alarm, tally = self._cards[number]
        due_us = queue.mark_when_ready_us(alarm, now, self.marks)
        alarm = alarm._replace(ready_us=now.utc_us, ready_mono_us=now.mono_us, t2_us=t2_us, due_mono_us=due_us)
        card = AlarmView(alarm, tally)
        self._change(card, batch)
        return card

    def _change(self, card: AlarmView, batch: Batch) -> None:
        """Replace the card of an open alarm; the alarm's row goes with the batch."""
        alarm = card.alarm
        if alarm is not self._cards[alarm.id].alarm:
            batch.alarms[alarm.id] = alarm
        self._cards[alarm.id] = card
        self.on_due(alarm)

    # --- actions of operators ---------------------------------------------------------------------------------------

    def act(
        self,
        number: int,
        hand: queue.OperatorAction,
        action: str,
        step: Callable[[Alarm], Alarm],
        batch: Batch,
        **detail: object,
    ) -> Deed:
        """Apply an operator's step to an alarm. Raises UsageError if the queue's rules forbid it."""
        before, tally = self.find(number)
        alarm = step(before)
        holder = queue.as_of(before, hand.now).operator
        if holder and holder not in {hand.operator, alarm.operator}:
            detail = {"from": holder} | detail
        if before.t3_us is None and alarm.t3_us is not None:
            self._calls.ended(alarm, hand.now.mono_us)
        card = AlarmView(alarm, tally)
        if before.on_test and not alarm.on_test:
            self._calls.ready(alarm, reports(card), hand.now.mono_us)
        if alarm.state is State.CLOSED:
            batch.alarms[number] = alarm
            self._cards.remove(before)
            self._closed.add(alarm, hand.now.mono_us + self._chain_window_us, hand.now.mono_us)
            # The contract is settled by these figures, and in the audit they cannot be altered afterwards.
            figures = {"t2_us": alarm.t2_us, "t3_us": alarm.t3_us}
            batch.record(hand.now.utc_us, hand.operator, action, f"alarm {number}", **detail, **figures)
        else:
            self._change(card, batch)
            batch.record(hand.now.utc_us, hand.operator, action, f"alarm {number}", **detail)
        return Deed(card, action, hand.operator, hand.now, detail)

    def note(self, number: int, hand: queue.OperatorAction, text: str, batch: Batch) -> Deed:
        """Add a note to an alarm. A note of the holder renews the lease; other operators may add notes, too."""
        card = self.find(number)
        digest = batch.add_note(number, hand.now.utc_us, hand.operator, text)
        if queue.as_of(card.alarm, hand.now).operator == hand.operator:
            card = self.act(number, hand, "note", lambda held: queue.touch(held, hand), batch, sha256=digest).card
        else:
            batch.record(hand.now.utc_us, hand.operator, "note", f"alarm {number}", sha256=digest)
        return Deed(card, "note", hand.operator, hand.now, {"text": text})

    def test(
        self,
        account: Account,
        hand: queue.OperatorAction,
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
        test = self.tests.put(account, hand, seconds, reason, batch)
        apart = [alarm for alarm in self.alarms() if alarm.on_test and is_of(alarm, account, book)]
        if test is None:
            own = hand._replace(supervisor=True)  # also closes an alarm that a colleague has claimed

            def close(held: Alarm) -> Alarm:
                return queue.close(held, own, AlarmOutcome.TEST)._replace(t3_us=None)

            deeds = [self.act(alarm.id, own, "close", close, batch, outcome=AlarmOutcome.TEST.value) for alarm in apart]
            return Tested(None, deeds)
        for alarm in apart:
            if alarm.priority in queue.REPEATED:
                due_us = self._test_mark_us(account, alarm.priority, hand.now)
                self._change(AlarmView(alarm._replace(due_mono_us=due_us), self._cards[alarm.id].tally), batch)
        return Tested(test, [])

    def _test_mark_us(self, account: Account | None, priority: Priority, now: Instant) -> int | None:
        """Return when an emergency that came on test is put before a supervisor, unless a person closes it first."""
        test = self.tests.of(account, now)
        if test is None or priority not in queue.REPEATED:
            return None
        return min(test.until_mono_us, now.mono_us + self._test_us)

    def withdraw(self, number: int, why: str, now: Instant, batch: Batch) -> Deed | None:
        """Close the alarm of a loss if no report joined it and no operator holds it; else add the reason as a note.

        Return None if there is no such open alarm.
        """
        if number not in self._cards:
            return None
        card, hand = self._cards[number], self.receiver(now)
        alarm = queue.as_of(card.alarm, now)
        if alarm.state is not State.WAITING or not _is_own_loss(card):
            return self.note(number, hand, why, batch)

        def close(held: Alarm) -> Alarm:
            # No person called, so no communication has waited.
            return queue.close(held, hand, AlarmOutcome.TECHNICAL)._replace(t3_us=None)

        return self.act(number, hand, "close", close, batch, outcome=AlarmOutcome.TECHNICAL.value, why=why)

    # --- reading ----------------------------------------------------------------------------------------------------

    def find(self, number: int) -> AlarmView:
        """Return the open alarm of this number. Raises UsageError if there is no such alarm."""
        return self._cards.find(number)

    def get(self, number: int) -> AlarmView | None:
        """Return the open alarm of this number, or None."""
        return self._cards.get(number)

    def ready(self) -> Iterator[Alarm]:
        """Yield the open alarms that operators may work on, in no order; alarms may be opened and closed meanwhile.

        Alarms of a batch that is not durable yet are left out, because it may still be rolled back.
        """
        return (alarm for alarm, _ in list(self._cards.values()) if alarm.ready_us)

    def alarms(self) -> Iterator[Alarm]:
        """Return the open alarms in their latest state, in no order."""
        return (alarm for alarm, _ in self._cards.values())


def _of_home(alarm: Alarm, home: str, account: str) -> Alarm:
    """Return a stranger's alarm as the alarm of a home, because the account was registered meanwhile."""
    return alarm._replace(unknown_account=False, home=home, account=account, why=alarm.why.removeprefix(UNKNOWN))


class Tested(NamedTuple):
    """The result of an order to test an account."""

    test: OnTest | None
    """The test that runs now, or None if it was ended."""
    closed: list[Deed]
    """The closing of each call of the test that ended."""


def _is_own_loss(card: AlarmView) -> bool:
    """Return True if the alarm is of a silence that the receiver noticed itself, and no device's report joined it."""
    return card.alarm.kind is Kind.DEVICE_LOST and not card.alarm.first_signal and not card.tally.last_signal
