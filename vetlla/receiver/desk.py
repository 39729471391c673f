"""The desk: the queue as it stands, in memory, where every change is decided.

It lives in the event loop alone, so two operators can never both get an alarm: the second call finds the first one's
work done. What it decides is written by the batch that it is given; if that batch does not become durable, what frames
had changed is taken back (``take_back``), while what operators did stands and is written later.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.alarms import Alarm, Outcome, State, Tally
from vetlla.clock import SECOND_US
from vetlla.errors import UsageError
from vetlla.receiver.card import Card
from vetlla.service import queue
from vetlla.service.quiet import QuietLines, UnknownCode
from vetlla.service.runaway import Device, Runaways
from vetlla.service.triage import is_old, joins, line_of
from vetlla.signals import Kind, Phase, Priority
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


_UNKNOWN, _UNREADABLE = Kind.UNKNOWN, Kind.UNREADABLE


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


class News(StrEnum):
    """What frames did to an alarm, as watchers are told."""

    OPENED = "alarm"
    LIFTED = "lifted"
    JOINED = "joined"
    REPEATED = "repeated"
    """A signal of it came once more, because the answer did not arrive."""
    ESCALATED = "escalated"


_Line: TypeAlias = "tuple[str, bool, str]"
"""Where a home's alarms continue one another: home, on test, and the name of the line (``triage.line_of``)."""


class Desk:
    """The open alarms, who holds them, and which accounts are on test."""

    def __init__(self, settings: QueueSettings, recovered: Recovered) -> None:
        self.use(settings)
        self._boot = recovered.boot
        self._next_alarm = recovered.next_alarm
        self._cards: dict[int, Card] = {}
        self._lines: dict[_Line, list[int]] = {}
        """Open alarms of a home, oldest first; those on test and those with a line of their own stand apart."""
        self._tests = {test.account: test for test in recovered.on_test}
        self._runaways = Runaways()
        self._quiet = QuietLines()
        self._opened: dict[int, int] = {}
        """Alarms that the batch under way opens, with the monotonic instant at which their call was established."""
        self._joined: dict[int, Card] = {}
        """Cards as they were before the batch under way."""
        for alarm in recovered.open_alarms:
            kept = alarm if alarm.boot == recovered.boot else queue.after_reboot(alarm, recovered.boot)
            self._lay(Card(kept, recovered.tallies[alarm.id]))

    def use(self, settings: QueueSettings) -> None:
        """Go on with other settings."""
        self._chain_window_us = round(settings.chain_window_s * SECOND_US)
        self._runaway_window_us = round(settings.runaway_window_s * SECOND_US)
        self._runaway_signals = settings.runaway_signals

    def resume(self, now: Instant, batch: Batch) -> None:
        """After a restart: an alarm whose stamp died with the last process is ready now, and the audit says so."""
        for alarm, _ in list(self._cards.values()):
            if alarm.ready_us is None:
                began_us = alarm.opened_us if alarm.chained_to else alarm.established_us
                self._make_ready(alarm.id, now, max(0, now.utc_us - began_us), batch)
                batch.audit.append(_entry(now, "ready", alarm.id, why="stamp lost in a restart"))

    # --- what frames do ---------------------------------------------------------------------------------------------

    def place(
        self, report: Report, arrival: Arrival, batch: Batch, *, told_in: int | None = None
    ) -> tuple[int | None, int]:
        """Let a signal open an alarm or join one; return the alarm's number, if any, and what else is true of it.

        ``told_in``: the alarm of an earlier report that this one repeats and adds to.
        """
        now = arrival.received
        on_test = bool(self._tests) and self.on_test(report.who.account, now.utc_us) is not None
        flags = (0 if report.known else _UNKNOWN_ACCOUNT) | (_ON_TEST if on_test else 0)
        if told_in is not None:
            return self._add(self._cards[told_in], report, now, batch), flags
        kind = report.event.kind
        apart = kind is _UNKNOWN or kind is _UNREADABLE  # asked of every report: a call of line_of costs ten times that
        name = line_of(kind, report.priority, report.who.account) if apart else ""
        line = (report.home, on_test, name)
        if name and kind is _UNKNOWN:
            return self._place_unknown(line, report, arrival, batch, on_test=on_test), flags
        before = self._continued(line, now.mono_us)
        joined = before and joins(before.alarm, report.priority, holder_active=queue.holder_active(before.alarm, now))
        if report.priority is Priority.ROUTINE:
            return (self._join(before, report, now, batch, runaway=False) if before and joined else None), flags
        device = Device(report.who, report.device, report.event, on_test)
        runaway = self._runaways.count(
            device, now.mono_us, limit=self._runaway_signals, window_us=self._runaway_window_us
        )
        flags |= _RUNAWAY if runaway else 0
        if before and joined:
            number = self._join(before, report, now, batch, runaway=runaway)
        elif runaway and report.priority is not Priority.LIFE and (group := self._runaways.group(device)):
            # Handled by an operator, and still running away: kept with its group, no new alarm.
            if group in self._cards:
                self._join(self._cards[group], report, now, batch, runaway=True)
            return group, flags
        else:
            number = self._open(before, report, arrival, batch, on_test=on_test, runaway=runaway)
        if runaway:
            self._runaways.gather(device, number)
        return number, flags

    def _place_unknown(self, line: _Line, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool) -> int:
        """Let an unknown code join its device's line, or stay with the one that an operator has closed."""
        now = arrival.received
        code = UnknownCode(report.who, report.device, report.event.code, on_test)
        if held := self._lines.get(line):
            number = self._join(self._cards[held[-1]], report, now, batch, runaway=False)
        elif (number := self._quiet.find(code, now.mono_us) or 0) == 0:
            number = self._open(None, report, arrival, batch, on_test=on_test, runaway=False)
        if self._quiet.find(code, now.mono_us) != number:
            self._quiet.remember(code, number, now.mono_us)
        return number

    def _add(self, card: Card, report: Report, now: Instant, batch: Batch) -> int:
        """Let a signal join the alarm of the report that it repeats; a supervisor hears of it if no operator acts."""
        number = self._join(card, report, now, batch, runaway=False)
        alarm, tally = self._cards[number]
        if alarm.state is State.ANSWERED and not queue.holder_active(alarm, now):
            alarm = queue.escalate(alarm)
            self._cards[number] = Card(alarm, tally)
            batch.alarms[number] = alarm
            batch.decided.append(_entry(now, "escalate", number, why="told again while its operator shows no activity"))
        return number

    def repeat(self, number: int, now: Instant) -> None:
        """Show on an open alarm that one of its signals came once more."""
        alarm, tally = card = self._cards[number]
        if number not in self._opened:
            self._joined.setdefault(number, card)
        self._cards[number] = Card(alarm, tally._replace(told_again=tally.told_again + 1, told_again_us=now.utc_us))

    def is_open(self, number: int | None) -> bool:
        """Return True if there is an open alarm of this number."""
        return number in self._cards

    def _continued(self, line: _Line, now_us: int) -> Card | None:
        """Return the home's open alarm that a signal continues: the contract's clock started with its first call."""
        held = self._lines.get(line)
        if not held:
            return None
        card = self._cards[held[-1]]
        return card if now_us - card.tally.joined_us <= self._chain_window_us else None

    def _join(self, card: Card, report: Report, now: Instant, batch: Batch, *, runaway: bool) -> int:
        alarm, tally = card
        number = alarm.id
        if number not in self._opened:
            self._joined.setdefault(number, card)
        if report.priority < alarm.priority:
            alarm = alarm._replace(priority=report.priority, kind=report.event.kind, why=_why(report))
            batch.decided.append(_entry(now, "lift", number, to=report.priority.name, signal=report.number))
        elif report.priority is alarm.priority and is_old(alarm.why) and not is_old(report.note):
            # What happens now must not look hours old because it was told behind what the device had kept back.
            alarm = alarm._replace(kind=report.event.kind, why=_why(report))
        if runaway and not alarm.runaway:
            alarm = alarm._replace(runaway=True)
            batch.decided.append(_entry(now, "runaway", number, signal=report.number))
        if alarm is not card.alarm:
            batch.alarms[number] = alarm
        joined_us = tally.joined_us if report.priority is Priority.ROUTINE else now.mono_us
        signals = tally.signals + (1 if report.number else 0)
        self._cards[number] = Card(
            alarm,
            Tally(signals, report.number or tally.last_signal, joined_us, tally.told_again, tally.told_again_us),
        )
        return number

    def _open(
        self, before: Card | None, report: Report, arrival: Arrival, batch: Batch, *, on_test: bool, runaway: bool
    ) -> int:
        number = self._next_alarm
        self._next_alarm += 1
        now = arrival.received
        alarm = Alarm(
            id=number,
            home=report.home,
            account=report.who.account,
            kind=report.event.kind,
            priority=report.priority,
            why=_why(report),
            first_signal=report.number,
            established_us=before.alarm.established_us if before else arrival.established.utc_us,
            opened_us=now.utc_us,
            boot=self._boot,
            chained_to=before.alarm.id if before else None,
            unknown_account=not report.known,
            on_test=on_test,
            runaway=runaway,
        )
        self._lay(Card(alarm, Tally(1 if report.number else 0, report.number, now.mono_us)))
        self._opened[number] = arrival.established.mono_us
        batch.alarms[number] = alarm
        kind, priority = alarm.kind.value, alarm.priority.name
        batch.decided.append(_entry(now, "open", number, kind=kind, priority=priority, signal=report.number))
        return number

    def settle(self, now: Instant, batch: Batch) -> list[tuple[News, Card]]:
        """Hear that what frames changed is durable; return it. New alarms are ready: *t2* ends.

        The rows that say so go with the next batch. From here on only what frames change next can be taken back.
        """
        news = [
            (News.OPENED, self._make_ready(number, now, now.mono_us - established_mono_us, batch))
            for number, established_mono_us in self._opened.items()
        ]
        news += [(_news(before, self._cards[number]), self._cards[number]) for number, before in self._joined.items()]
        self._opened.clear()
        self._joined.clear()
        return news

    def take_back(self, batch: Batch) -> None:
        """Undo what frames changed since ``settle``, in memory and in the batch, which keeps what operators did."""
        for number in self._opened:
            self._remove(self._cards[number].alarm)
            del batch.alarms[number]
        for number, card in self._joined.items():
            self._cards[number] = card
            if number in batch.alarms:
                batch.alarms[number] = card.alarm
        self._next_alarm -= len(self._opened)
        self._opened.clear()
        self._joined.clear()
        self._runaways.forget()
        self._quiet.forget()

    def _make_ready(self, number: int, now: Instant, t2_us: int, batch: Batch) -> Card:
        alarm, tally = self._cards[number]
        alarm = alarm._replace(ready_us=now.utc_us, ready_mono_us=now.mono_us, t2_us=t2_us)
        self._cards[number] = card = Card(alarm, tally)
        batch.alarms[number] = alarm
        return card

    def _lay(self, card: Card) -> None:
        alarm = card.alarm
        self._cards[alarm.id] = card
        self._lines.setdefault(_line(alarm), []).append(alarm.id)

    def _remove(self, alarm: Alarm) -> None:
        del self._cards[alarm.id]
        line = _line(alarm)
        held = self._lines[line]
        held.remove(alarm.id)
        if not held:
            del self._lines[line]

    # --- what operators do ------------------------------------------------------------------------------------------

    def act(
        self, number: int, hand: queue.Hand, action: str, step: Callable[[Alarm], Alarm], batch: Batch, **detail: object
    ) -> Card:
        """Take an alarm one step further for an operator; raises UsageError when the queue's rules say no."""
        alarm, tally = self.find(number)
        card = Card(step(alarm), tally)
        batch.alarms[number] = card.alarm
        if card.alarm.state is State.CLOSED:
            self._remove(alarm)
            # The figures by which a contract is settled: in the audit they cannot be altered afterwards.
            detail |= {"t2_us": card.alarm.t2_us, "t3_us": card.alarm.t3_us}
        else:
            self._cards[number] = card
        batch.audit.append(_entry(hand.now, action, number, hand.operator, **detail))
        return card

    def note(self, number: int, hand: queue.Hand, text: str, batch: Batch) -> Card:
        """Write something down about an alarm; the holder's lease is renewed, others may note too."""
        card = self.find(number)
        batch.notes.append(Note(number, hand.now.utc_us, hand.operator, text))
        if queue.as_of(card.alarm, hand.now).operator == hand.operator:
            return self.act(number, hand, "note", lambda held: queue.touch(held, hand), batch)
        batch.audit.append(_entry(hand.now, "note", number, hand.operator))
        return card

    def withdraw(self, number: int, why: str, now: Instant, batch: Batch) -> Card | None:
        """Take back an alarm that no device opened and nobody has in hand; whoever has it in hand reads why, as a note.

        None: there is no such open alarm any more.
        """
        card = self._cards.get(number)
        if card is None:
            return None
        alarm = queue.as_of(card.alarm, now)
        if alarm.state is State.WAITING and not alarm.first_signal and not card.tally.last_signal:
            hand, outcome = queue.Hand("receiver", now, 0, supervisor=True), Outcome.TECHNICAL
            said = {"outcome": outcome.value, "why": why}
            return self.act(number, hand, "close", lambda held: queue.close(held, hand, outcome), batch, **said)
        batch.notes.append(Note(number, now.utc_us, "receiver", why))
        batch.audit.append(_entry(now, "note", number))
        return card

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

    def find(self, number: int) -> Card:
        """Return an open alarm. Raises UsageError when there is none of that number."""
        if card := self._cards.get(number):
            return card
        raise UsageError(f"no open alarm {number}", remedy="vetlla queue list shows the open ones")

    def cards(self, now: Instant) -> list[Card]:
        """Return the open alarms as they stand, in the order in which they should be worked.

        Those of a batch that is not durable yet are not among them: it may still be lost.
        """
        shown = (Card(queue.as_of(alarm, now), tally) for alarm, tally in self._cards.values() if alarm.ready_us)
        return sorted(shown, key=lambda card: queue.order(card.alarm))

    def on_test(self, account: str, now_us: int) -> OnTest | None:
        """Return the running test of an account; its end is judged when it is read, by no sweeper."""
        test = self._tests.get(account.casefold())
        return test if test and now_us < test.until_us else None

    def tests(self, now: Instant) -> list[OnTest]:
        """Return the accounts on test."""
        return [test for test in self._tests.values() if now.utc_us < test.until_us]

    def counts(self, now: Instant) -> dict[tuple[State, Priority], int]:
        """Return how many open alarms there are by state and priority; those on test are not among them."""
        counts: dict[tuple[State, Priority], int] = {}
        for alarm, _ in self._cards.values():
            if not alarm.on_test:
                key = (queue.as_of(alarm, now).state, alarm.priority)
                counts[key] = counts.get(key, 0) + 1
        return counts

    def oldest_waiting_s(self, now: Instant) -> dict[Priority, float]:
        """Return, by priority, how long the longest waiting alarm has waited since it was ready."""
        oldest: dict[Priority, float] = {}
        for alarm, _ in self._cards.values():
            waited_us = queue.waited_us(alarm, now)
            if waited_us is not None and not alarm.on_test and queue.as_of(alarm, now).state is State.WAITING:
                oldest[alarm.priority] = max(oldest.get(alarm.priority, 0.0), waited_us / SECOND_US)
        return oldest


def _line(alarm: Alarm) -> _Line:
    return (alarm.home, alarm.on_test, line_of(alarm.kind, alarm.priority, alarm.account))


def _news(before: Card, after: Card) -> News:
    """Return what a batch did to an alarm that was open before it."""
    if after.alarm.priority < before.alarm.priority:
        return News.LIFTED
    if after.alarm.escalated > before.alarm.escalated:
        return News.ESCALATED
    return News.JOINED if after.tally.signals > before.tally.signals else News.REPEATED


def _entry(now: Instant, action: str, alarm: int, actor: str = "receiver", /, **detail: object) -> Entry:
    return Entry(now.utc_us, actor, action, f"alarm {alarm}", detail)


def _why(report: Report) -> str:
    kind, phase, code, _ = report.event
    where = f" from {report.device}" if report.device else ""
    unknown = "" if report.known else "unknown account: "
    state = f" ({phase.value})" if phase is not Phase.NEW else ""
    repeated = " (reported before)" if report.repeated else ""
    note = f"; {report.note}" if report.note else ""
    what = kind.value if kind is not Kind.UNKNOWN else "unknown code"
    return f"{unknown}{what} {code}{where}{state}{repeated}{note}"
