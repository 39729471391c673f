"""The desk: the queue as it stands, in memory, where every change is decided.

It lives in the event loop alone, so two operators can never both get an alarm: the second call finds the first one's
work done. What it decides is written by the batch that it is given; if that batch does not become durable, what frames
had changed is taken back (``take_back``), while what operators did stands and is written later.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.alarms import Alarm, State, Tally
from vetlla.clock import SECOND_US, iso
from vetlla.errors import UsageError
from vetlla.service import queue
from vetlla.service.triage import Rate, joins
from vetlla.signals import Kind, Priority
from vetlla.store.batch import Entry, Note, OnTest
from vetlla.store.rows import Flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.clock import Instant
    from vetlla.settings.model import QueueSettings
    from vetlla.signals import AccountId, Arrival, Event
    from vetlla.store.batch import Batch
    from vetlla.store.journal import Recovered

_UNKNOWN_ACCOUNT, _ON_TEST, _RUNAWAY = Flag.UNKNOWN_ACCOUNT.value, Flag.ON_TEST.value, Flag.RUNAWAY.value

RATES_MAX = 100_000
"""Accounts whose signal rate is followed at once; stale ones are dropped first."""


class Report(NamedTuple):
    """One signal as the desk sees it."""

    number: int
    """0: a refusal, kept among the rejects."""
    who: AccountId
    home: str
    event: Event
    priority: Priority
    device: str = ""
    known: bool = True
    repeated: bool = False
    note: str = ""
    """What an operator must know besides the event: why it was refused, how old it is."""


class Desk:
    """The open alarms, who holds them, and which accounts are on test."""

    def __init__(self, settings: QueueSettings, recovered: Recovered) -> None:
        self.use(settings)
        self._boot = recovered.boot
        self._next_alarm = recovered.next_alarm
        self._alarms = {
            alarm.id: alarm if alarm.boot == recovered.boot else queue.after_reboot(alarm, recovered.boot)
            for alarm in recovered.open_alarms
        }
        self._tallies = recovered.tallies
        for alarm in recovered.open_alarms:
            self._tallies.setdefault(alarm.id, Tally(0, alarm.first_signal, alarm.opened_us))
        self._by_home = {alarm.home: alarm.id for alarm in recovered.open_alarms}
        self._tests = {test.account: test for test in recovered.on_test}
        self._rates: dict[str, Rate] = {}
        self._runaways: dict[str, int] = {}
        self._undo: dict[int, tuple[Alarm, Tally] | None] = {}
        self._opened: dict[int, int] = {}
        """Alarms of the batch under way, with the monotonic instant at which their communication was established."""
        self._lifted: list[int] = []
        """Alarms that became more urgent in the batch under way."""

    def use(self, settings: QueueSettings) -> None:
        """Go on with other settings."""
        self._chain_window_us = round(settings.chain_window_s * SECOND_US)
        self._runaway_window_us = round(settings.runaway_window_s * SECOND_US)
        self._runaway_signals = settings.runaway_signals

    # --- what frames do ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Hear that what frames changed is durable: from here on only what they change next can be taken back."""
        self._undo.clear()
        self._opened.clear()
        self._lifted.clear()

    def take_back(self, batch: Batch) -> None:
        """Undo what frames changed since ``settle``, in memory and in the batch, which keeps what operators did."""
        for number, before in self._undo.items():
            if before is None:
                alarm = self._alarms.pop(number)
                self._tallies.pop(number)
                self._by_home = {home: held for home, held in self._by_home.items() if held != number}
                if alarm.chained_to in self._alarms:
                    self._by_home[alarm.home] = alarm.chained_to
                self._runaways = {account: held for account, held in self._runaways.items() if held != number}
                batch.alarms.pop(number, None)
                self._next_alarm = min(self._next_alarm, number)
            else:
                self._alarms[number], self._tallies[number] = before
                if number in batch.alarms:
                    batch.alarms[number] = before[0]
        self.settle()

    def place(self, report: Report, arrival: Arrival, batch: Batch) -> tuple[int | None, int]:
        """Let a signal open an alarm or join one; return the alarm's number, if any, and what else is true of it."""
        flags = 0 if report.known else _UNKNOWN_ACCOUNT
        on_test = bool(self._tests) and self.on_test(report.who.account, arrival.received.utc_us) is not None
        if on_test:
            flags |= _ON_TEST
        runaway = report.priority is not Priority.ROUTINE and self._is_runaway(report, arrival)
        if runaway:
            flags |= _RUNAWAY
        current = self._by_home.get(report.home)
        if current is not None and self._joins(current, report, arrival, on_test=on_test):
            self._join(current, report, arrival, batch)
            return current, flags
        if report.priority is Priority.ROUTINE:
            return None, flags
        if runaway and report.priority is not Priority.LIFE and (grouped := self._runaways.get(report.home)):
            return grouped, flags  # closed by an operator, and still running away: stored with its group, no new alarm
        return self._open(report, arrival, batch, on_test=on_test, runaway=runaway), flags

    def _is_runaway(self, report: Report, arrival: Arrival) -> bool:
        now_us = arrival.received.mono_us
        window_us = self._runaway_window_us
        rate = self._rates.get(report.home)
        if rate is None:
            if len(self._rates) >= RATES_MAX:
                self._rates = {home: kept for home, kept in self._rates.items() if not kept.stale(now_us, window_us)}
            rate = self._rates.setdefault(report.home, Rate(now_us))
        exceeded = rate.exceeded(now_us, limit=self._runaway_signals, window_us=window_us)
        if not exceeded:
            self._runaways.pop(report.home, None)
        return exceeded

    def _joins(self, number: int, report: Report, arrival: Arrival, *, on_test: bool) -> bool:
        alarm = self._alarms[number]
        if alarm.on_test != on_test:
            return False
        return joins(
            alarm,
            report.priority,
            holder_active=queue.holder_active(alarm, arrival.received),
            idle_us=arrival.received.utc_us - self._tallies[number].joined_us,
            window_us=self._chain_window_us,
        )

    def _join(self, number: int, report: Report, arrival: Arrival, batch: Batch) -> None:
        alarm, tally = self._alarms[number], self._tallies[number]
        self._undo.setdefault(number, (alarm, tally))
        joined_us = tally.joined_us if report.priority is Priority.ROUTINE else arrival.received.utc_us
        self._tallies[number] = Tally(tally.signals + 1, report.number or tally.last_signal, joined_us)
        if report.priority < alarm.priority:
            lifted = replace(alarm, priority=report.priority, kind=report.event.kind, why=_why(report))
            self._alarms[number] = batch.alarms[number] = lifted
            self._lifted.append(number)
            batch.decided.append(
                Entry(arrival.received.utc_us, "receiver", "lift", f"alarm {number}", {"to": report.priority.name})
            )

    def _open(self, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool, runaway: bool) -> int:
        number = self._next_alarm
        self._next_alarm += 1
        before = self._continued(report, arrival, on_test=on_test)
        alarm = Alarm(
            id=number,
            home=report.home,
            account=report.who.account,
            kind=report.event.kind,
            priority=report.priority,
            why=_why(report),
            first_signal=report.number,
            established_us=before.established_us if before else arrival.established.utc_us,
            opened_us=arrival.received.utc_us,
            boot=self._boot,
            chained_to=before.id if before else None,
            unknown_account=not report.known,
            on_test=on_test,
            runaway=runaway,
        )
        self._undo[number] = None
        self._alarms[number] = batch.alarms[number] = alarm
        self._tallies[number] = Tally(1 if report.number else 0, report.number, arrival.received.utc_us)
        self._by_home[report.home] = number
        if runaway:
            self._runaways[report.home] = number
        self._opened[number] = arrival.established.mono_us
        detail: dict[str, object] = {"kind": alarm.kind.value, "priority": alarm.priority.name, "signal": report.number}
        batch.decided.append(Entry(arrival.received.utc_us, "receiver", "open", f"alarm {number}", detail))
        return number

    def _continued(self, report: Report, arrival: Arrival, *, on_test: bool) -> Alarm | None:
        """Return the home's open alarm that a new one continues: the contractual clock started with its first call."""
        number = self._by_home.get(report.home)
        if number is None or arrival.received.utc_us - self._tallies[number].joined_us > self._chain_window_us:
            return None
        alarm = self._alarms[number]
        return alarm if alarm.on_test == on_test else None

    def made_ready(self, now: Instant, batch: Batch) -> list[Alarm]:
        """Stamp alarms that just became durable as ready: *t2* ends. Their rows go with the next batch."""
        ready = []
        for number, established_mono_us in self._opened.items():
            if alarm := self._alarms.get(number):
                alarm = replace(
                    alarm, ready_us=now.utc_us, ready_mono_us=now.mono_us, t2_us=now.mono_us - established_mono_us
                )
                self._alarms[number] = batch.alarms[number] = alarm
                ready.append(alarm)
        return ready

    def lifted(self) -> list[Alarm]:
        """Return the alarms that the batch, now durable, made more urgent."""
        return [self._alarms[number] for number in self._lifted if number in self._alarms]

    # --- what operators do ------------------------------------------------------------------------------------------

    def act(
        self, number: int, hand: queue.Hand, action: str, step: Callable[[Alarm], Alarm], batch: Batch, **detail: object
    ) -> Alarm:
        """Take an alarm one step further for an operator; raises UsageError when the queue's rules say no."""
        before = self.find(number)
        after = step(before)
        batch.alarms[number] = after
        if after.state is State.CLOSED:
            del self._alarms[number]
            self._tallies.pop(number)
            if self._by_home.get(after.home) == number:
                del self._by_home[after.home]
        else:
            self._alarms[number] = after
        batch.audit.append(Entry(hand.now.utc_us, hand.operator, action, f"alarm {number}", detail))
        return after

    def note(self, number: int, hand: queue.Hand, text: str, batch: Batch) -> Alarm:
        """Write something down about an alarm; the holder's lease is renewed, others may note too."""
        alarm = self.find(number)
        batch.notes.append(Note(number, hand.now.utc_us, hand.operator, text))
        if alarm.operator == hand.operator and queue.as_of(alarm, hand.now).operator:
            return self.act(number, hand, "note", lambda held: queue.touch(held, hand), batch)
        batch.audit.append(Entry(hand.now.utc_us, hand.operator, "note", f"alarm {number}", {}))
        return alarm

    def set_test(self, account: str, hand: queue.Hand, seconds: int, reason: str, batch: Batch) -> OnTest | None:
        """Put an account on test for a time, or end its test (0 seconds)."""
        account = account.casefold()
        test = None
        if seconds:
            until_us = hand.now.utc_us + seconds * SECOND_US
            test = self._tests[account] = OnTest(account, hand.now.utc_us, until_us, hand.operator, reason)
        else:
            self._tests.pop(account, None)
        batch.tests[account] = test
        detail: dict[str, object] = {"seconds": seconds, "reason": reason}
        batch.audit.append(Entry(hand.now.utc_us, hand.operator, "test", f"account {account}", detail))
        return test

    # --- what is seen -----------------------------------------------------------------------------------------------

    def find(self, number: int) -> Alarm:
        """Return an open alarm. Raises UsageError when there is none of that number."""
        if alarm := self._alarms.get(number):
            return alarm
        raise UsageError(f"no open alarm {number}", remedy="vetlla queue list shows the open ones")

    def on_test(self, account: str, now_us: int) -> OnTest | None:
        """Return the running test of an account; its end is judged when it is read, by no sweeper."""
        test = self._tests.get(account.casefold())
        return test if test and now_us < test.until_us else None

    def counts(self, now: Instant) -> dict[tuple[State, Priority], int]:
        """Return how many open alarms there are by state and priority; those on test are not among them."""
        counts: dict[tuple[State, Priority], int] = {}
        for alarm in self._alarms.values():
            if not alarm.on_test:
                key = (queue.as_of(alarm, now).state, alarm.priority)
                counts[key] = counts.get(key, 0) + 1
        return counts

    def oldest_waiting_s(self, now: Instant) -> dict[Priority, float]:
        """Return, by priority, how long the longest waiting alarm has waited since it was ready."""
        oldest: dict[Priority, float] = {}
        for alarm in self._alarms.values():
            waited_us = queue.waited_us(alarm, now)
            if waited_us is not None and not alarm.on_test and queue.as_of(alarm, now).state is State.WAITING:
                oldest[alarm.priority] = max(oldest.get(alarm.priority, 0.0), waited_us / SECOND_US)
        return oldest

    def tests(self, now: Instant) -> list[OnTest]:
        """Return the accounts on test."""
        return [test for test in self._tests.values() if now.utc_us < test.until_us]

    def alarms(self, now: Instant) -> list[Alarm]:
        """Return the open alarms as they stand, in the order in which they should be worked."""
        return sorted((queue.as_of(alarm, now) for alarm in self._alarms.values()), key=queue.order)

    def fields(self, alarm: Alarm, now: Instant) -> dict[str, Any]:
        """Return an alarm as JSON-ready fields, with its growth and its running clocks in seconds."""
        tally = self._tallies.get(alarm.id, Tally(0, alarm.first_signal, alarm.opened_us))
        waited = alarm.t3_us if alarm.answered_us is not None else queue.waited_us(alarm, now)
        plain = asdict(alarm)
        stamps = {
            name.removesuffix("_us"): iso(plain.pop(name))
            for name in ("established_us", "opened_us", "ready_us", "claimed_us", "answered_us", "closed_us")
        }
        for name in ("ready_mono_us", "lease_mono_us", "boot", "t2_us", "t3_us"):
            plain.pop(name)
        lease = alarm.lease_mono_us
        return plain | {
            "priority": alarm.priority.name,
            "signals": tally.signals,
            "last_signal": tally.last_signal,
            **stamps,
            "age_s": (now.utc_us - alarm.established_us) / 1e6,
            "t2_s": None if alarm.t2_us is None else alarm.t2_us / 1e6,
            "t3_s": None if waited is None else waited / 1e6,
            "lease_s": None if lease is None else max(0.0, (lease - now.mono_us) / 1e6),
        }


def _why(report: Report) -> str:
    kind, phase, code, _ = report.event
    where = f" from {report.device}" if report.device else ""
    unknown = "" if report.known else "unknown account: "
    state = f" ({phase.value})" if phase.value != "new" else ""
    repeated = " (reported before)" if report.repeated else ""
    note = f"; {report.note}" if report.note else ""
    what = kind.value if kind is not Kind.UNKNOWN else "unknown code"
    return f"{unknown}{what} {code}{where}{state}{repeated}{note}"
