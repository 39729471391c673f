"""Lets signals open alarms or join them.

The batch that is given writes what is decided here. If it is rolled back, ``rolled_back`` undoes all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.alarms import Alarm, Cause, State, Tally
from vetlla.domain.signals import AccountId, Flag, Kind, Priority
from vetlla.receiver.queue.alarm_view import AlarmView
from vetlla.receiver.queue.desk_report import UNKNOWN, DeskReport, reason_of
from vetlla.receiver.queue.limits import QueueLimits
from vetlla.service.queue import marks, order
from vetlla.service.queue.emergencies import Closed, Emergency
from vetlla.service.queue.runaway import Runaways, Utterance
from vetlla.service.queue.strangers import Strangers
from vetlla.service.queue.triage import is_old, joins, line_of
from vetlla.service.queue.unknown_code_alarms import UnknownCode, UnknownCodes

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account, AccountBook
    from vetlla.domain.clock import Instant
    from vetlla.domain.previous_run import Recovered
    from vetlla.domain.signals import Arrival
    from vetlla.receiver.queue.open_alarms import Line, OpenAlarms
    from vetlla.receiver.queue.tested_accounts import AccountsOnTest
    from vetlla.settings.model import Settings
    from vetlla.settings.queue import QueueSettings
    from vetlla.store.journal.batch import Batch

_UNKNOWN_ACCOUNT, _ON_TEST, _RUNAWAY = Flag.UNKNOWN_ACCOUNT.value, Flag.ON_TEST.value, Flag.RUNAWAY.value
_ROUTINE = Priority.ROUTINE
_UNKNOWN, _UNREADABLE = Kind.UNKNOWN, Kind.UNREADABLE
_NO_ACCOUNT = AccountId("", "", "")


class Placement:
    """Finds the alarm of each signal, and opens one where there is none."""

    def __init__(
        self, settings: QueueSettings, recovered: Recovered, alarms: OpenAlarms, closed: Closed, tests: AccountsOnTest
    ) -> None:
        self._limits = QueueLimits.of(settings)
        self._boot = recovered.boot
        self._next_alarm = recovered.next_alarm
        self.open = alarms
        """Other parts read it as a quick check whether an alarm is open."""
        self._closed = closed
        self._tests = tests
        self._runaways = Runaways()
        self._strangers = Strangers()
        self._unknown_codes = UnknownCodes()
        self.opened: dict[int, int] = {}
        """Alarms that the batch under way opens, with the monotonic instant of their communication's set-up."""
        self.joined: dict[int, AlarmView] = {}
        """Alarms that the batch under way changes, as they were before."""
        self.unseen = 0
        """Number of signals in the batch under way that no operator has to see, without accounts on test."""

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings. Alarms keep the marks that they already have."""
        self._limits = QueueLimits.of(settings.queue)

    def begin(self) -> None:
        """Begin the next batch."""
        self.opened.clear()
        self.joined.clear()
        self.unseen = 0

    def place(
        self, report: DeskReport, arrival: Arrival, batch: Batch, *, told_in: int | None = None
    ) -> tuple[int | None, int]:
        """Let a signal open an alarm or join one; return the alarm's number, if any, and the signal's flags.

        ``told_in`` is the alarm of the report that this one repeats and adds to, if any.
        """
        now = arrival.received
        number, who, home, event, priority, device, known, _, _, account = report
        on_test = bool(self._tests.by_place) and self._tests.covers(account, now)
        flags = (0 if known else _UNKNOWN_ACCOUNT) | (_ON_TEST if on_test else 0)
        if told_in is not None:
            self._join(self.open[told_in], report, now, batch, runaway=False)
            self._tell_supervisor(told_in, now, batch)
            return told_in, flags
        kind = event.kind
        apart = kind is _UNKNOWN or kind is _UNREADABLE  # for every report; line_of would cost ten times as much
        name = line_of(kind, priority, who.account) if apart else ""
        line = (home, known, on_test, name)
        if name and kind is _UNKNOWN:
            return self._place_unknown(line, report, arrival, batch, on_test=on_test), flags
        before = self.open.newest(line)
        if before and now.mono_us - before.tally.joined_us > self._limits.chain_window_us:
            before = None  # a new alarm starts the contract's clock again
        joined = before and joins(before.alarm, priority, now)
        if priority is _ROUTINE:
            if before and joined:
                return self._join(before, report, now, batch, runaway=False), flags
            self.unseen += not on_test
            return None, flags
        said = Utterance(home, who, device, event, on_test)
        repetition = self._runaways.count(said, now.mono_us, self._limits.runaway_window_us)
        runaway = repetition.count > self._limits.runaway_signals
        flags |= _RUNAWAY if runaway else 0
        if before and joined:
            alarm = self._join(before, report, now, batch, runaway=runaway)
        elif runaway and priority is not Priority.LIFE and (group := repetition.alarm):
            # An operator has handled the group, but the device goes on: keep the signal there, without a new alarm.
            if group in self.open:
                self._join(self.open[group], report, now, batch, runaway=True)
            else:
                self.unseen += bool(number) and not on_test
            return group, flags
        else:
            alarm = self._begin_alarm(before, report, arrival, batch, on_test=on_test, runaway=runaway)
        if runaway:
            repetition.alarm = alarm
        return alarm, flags

    def is_news(self, report: DeskReport, now: Instant) -> bool:
        """Return True if a report would open an alarm, or make one more urgent."""
        on_test = self._tests.covers(report.account, now)
        name = line_of(report.event.kind, report.priority, report.who.account)
        before = self.open.newest((report.home, report.known, on_test, name))
        if before is None:
            code = UnknownCode(report.home, report.who, report.device, report.event.code, on_test)
            return report.event.kind is not _UNKNOWN or self._unknown_codes.find(code, now.mono_us) is None
        return (
            report.priority < before.alarm.priority
            or now.mono_us - before.tally.joined_us > self._limits.chain_window_us
            or not joins(before.alarm, report.priority, now)
        )

    def _place_unknown(self, line: Line, report: DeskReport, arrival: Arrival, batch: Batch, *, on_test: bool) -> int:
        """Let an unknown code join its device's open alarm, or keep it with the one that an operator has closed."""
        now = arrival.received
        code = UnknownCode(report.home, report.who, report.device, report.event.code, on_test)
        if held := self.open.newest(line):
            number = self._join(held, report, now, batch, runaway=False)
        elif (number := self._unknown_codes.find(code, now.mono_us) or 0) == 0:
            number = self._begin_alarm(None, report, arrival, batch, on_test=on_test, runaway=False)
        else:
            self.unseen += bool(report.number) and not on_test
        if self._unknown_codes.find(code, now.mono_us) != number:
            self._unknown_codes.remember(code, number, now.mono_us)
        return number

    def _tell_supervisor(self, number: int, now: Instant, batch: Batch) -> None:
        """Escalate an answered alarm whose caller has reported it again, if its operator shows no activity."""
        alarm, tally = self.open[number]
        if alarm.state is State.ANSWERED and not alarm.on_test and not order.holder_active(alarm, now):
            alarm = marks.put_before(alarm, self._limits.by_receiver(now), Cause.TOLD_AGAIN)
            self.open[number] = AlarmView(alarm, tally)
            batch.alarms[number] = alarm
            batch.record_effect(now.utc_us, "escalate", f"alarm {number}", why=Cause.TOLD_AGAIN.value)

    def repeat(self, number: int, home: str, account: Account | None, now: Instant, batch: Batch) -> None:
        """Show on an open alarm that one of its signals came again. It may be a new call that has the same number."""
        alarm, tally = view = self.open[number]
        if number not in self.opened:
            self.joined.setdefault(number, view)
        if account is not None and alarm.unknown_account:
            alarm = batch.alarms[number] = _of_home(alarm, home, account.account)
        self.open[number] = AlarmView(alarm, tally._replace(told_again=tally.told_again + 1, told_again_us=now.utc_us))
        self._tell_supervisor(number, now, batch)

    def has_emergency(self, home: str, account: Account | None, now: Instant) -> bool:
        """Return True if an alarm that may be a home's call for help is open, or was closed a short while ago."""
        chain = (home, account is not None, self._tests.covers(account, now))
        return bool(self.open.emergency(chain) or self._closed.find(chain, now.mono_us))

    def may_repeat(self, number: int | None, account: Account | None, now: Instant) -> bool:
        """Return True if the alarm of this number is open and may count a retry of this account.

        An alarm that came during a test is shown apart and has no marks, so it cannot take a call after the test. The
        alarm of a crowd of strangers cannot take a home's call; the account may have been registered meanwhile.
        """
        if number is None or number not in self.open:
            return False
        alarm = self.open[number].alarm
        if account is not None and alarm.unknown_account and alarm.account.upper() != account.account.upper():
            return False
        return not alarm.on_test or self._tests.covers(account, now)

    def _join(self, view: AlarmView, report: DeskReport, now: Instant, batch: Batch, *, runaway: bool) -> int:
        alarm, (signals, last_signal, joined_us, told_again, told_again_us) = view
        signal, _, _, _, priority, _, is_known, _, note, _ = report
        number, before = alarm.id, alarm.priority
        if number not in self.opened:
            self.joined.setdefault(number, view)
        if priority < before:
            alarm = alarm._replace(priority=priority, kind=report.event.kind, why=reason_of(report))
            alarm = marks.await_answer(alarm, now, self._limits.marks)
            if alarm.on_test:
                alarm = alarm._replace(
                    due_mono_us=self._tests.mark_us(report.account, priority, now, self._limits.test_us)
                )
            batch.record_effect(now.utc_us, "lift", f"alarm {number}", to=priority.name, signal=signal)
        elif (priority is before and is_old(alarm.why) and not is_old(note)) or (
            not signal and report.event.kind is not Kind.DEVICE_LOST and view.is_own_loss
        ):
            # A current event must not show the age of the buffered event that opened the alarm. And a refusal has no
            # signal, so only the alarm's kind shows that a device sent something; the kind also survives a restart.
            alarm = alarm._replace(kind=report.event.kind, why=reason_of(report))
        if runaway and not alarm.runaway:
            alarm = alarm._replace(runaway=True)
            batch.record_effect(now.utc_us, "runaway", f"alarm {number}", signal=signal)
        if is_known and alarm.unknown_account:
            alarm = _of_home(alarm, report.home, report.who.account)
        if alarm is not view.alarm:
            batch.alarms[number] = alarm
        if signal:
            signals, last_signal = signals + 1, signal
        if priority is not _ROUTINE:
            joined_us = now.mono_us
        self.open[number] = AlarmView(alarm, Tally(signals, last_signal, joined_us, told_again, told_again_us))
        return number

    def _begin_alarm(
        self,
        before: AlarmView | None,
        report: DeskReport,
        arrival: Arrival,
        batch: Batch,
        *,
        on_test: bool,
        runaway: bool,
    ) -> int:
        """Open an alarm; a stranger in a crowd joins the alarm that the crowd shares."""
        if report.known or before is not None:
            return self._open(before, report, arrival, batch, on_test=on_test, runaway=runaway)
        now, strangers = arrival.received, self._strangers
        window_us = self._limits.runaway_window_us
        crowd = strangers.crowd(arrival.host, now.mono_us, window_us=window_us, open_alarms=self.open.strangers)
        if not crowd:
            return self._open(None, report, arrival, batch, on_test=on_test, runaway=runaway)
        shared = self.open.get(strangers.shared(crowd) or 0)
        if shared and joins(shared.alarm, report.priority, now):
            return self._join(shared, report, now, batch, runaway=True)
        note = f"one of many unknown callers of {crowd}" + (f"; {report.note}" if report.note else "")
        crowded = report._replace(home=f"callers of {crowd}", who=_NO_ACCOUNT, note=note)
        number = self._open(shared, crowded, arrival, batch, on_test=on_test, runaway=True)
        strangers.share(crowd, number)
        return number

    def _open(
        self,
        before: AlarmView | None,
        report: DeskReport,
        arrival: Arrival,
        batch: Batch,
        *,
        on_test: bool,
        runaway: bool,
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
            due_mono_us=self._tests.mark_us(report.account, report.priority, now, self._limits.test_us)
            if on_test
            else None,
            runaway=runaway,
        )
        self.open.add(AlarmView(alarm, Tally(1 if report.number else 0, report.number, now.mono_us)))
        self.opened[number] = arrival.established.mono_us
        batch.alarms[number] = alarm
        kind, priority = alarm.kind.value, alarm.priority.name
        batch.record_effect(now.utc_us, "open", f"alarm {number}", kind=kind, priority=priority, signal=report.number)
        return number

    def _emergency(
        self, before: AlarmView | None, report: DeskReport, now: Instant, *, on_test: bool
    ) -> Emergency | None:
        """Return what a new alarm of a home continues: ``before``, or the home's emergency that has not ended."""
        if before is not None:
            return Emergency(before.alarm.id, before.alarm.established_us)
        if report.event.kind is _UNKNOWN and report.priority is Priority.TECHNICAL:
            return None  # it has a line of its own, which holds no emergency
        chain = (report.home, report.known, on_test)
        return self.open.emergency(chain) or self._closed.find(chain, now.mono_us)

    def rolled_back(self, batch: Batch) -> None:
        """Undo what frames changed since ``committed``, in memory and in the batch. Operators' actions stay there."""
        for number in self.opened:
            self.open.remove(self.open[number].alarm)
            del batch.alarms[number]
        for number, view in self.joined.items():
            self.open[number] = view
            if number in batch.alarms:
                batch.alarms[number] = view.alarm
        self._next_alarm -= len(self.opened)
        self.begin()
        self._runaways.forget()
        self._strangers.forget()
        self._unknown_codes.forget()


def _of_home(alarm: Alarm, home: str, account: str) -> Alarm:
    """Return a stranger's alarm as the alarm of a home, because the account was registered meanwhile."""
    return alarm._replace(unknown_account=False, home=home, account=account, why=alarm.why.removeprefix(UNKNOWN))
