"""The only way by which a report reaches the store: account lookup, admission, duplicate check, verdict.

Everything is decided in the event loop and committed in groups (``commit/group.py``). A verdict exists only when the
transaction that holds the frame is durable. If there can be no verdict, the peer gets no answer, so that the terminal
repeats its report or uses its second receiver.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import structlog

from vetlla.domain.accounts import PlainPolicy
from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.signals import DUPLICATE, LINE_RECEIVER, STORED, Flag, Priority, Reason, Reject, Signal, refused
from vetlla.protocols.codes.makers import as_meant_by
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.intake.duplicates import Duplicates
from vetlla.receiver.intake.in_clear import InClearReports
from vetlla.receiver.intake.last_frames import LastFrames
from vetlla.receiver.intake.retries import Retries
from vetlla.receiver.queue.desk_report import DeskReport
from vetlla.receiver.supervision.supervision import is_last_will
from vetlla.service.queue.admission import objection
from vetlla.service.queue.retelling import Retelling
from vetlla.service.queue.triage import PRIORITIES, age, home_of, weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vetlla.domain.accounts import Account, AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.previous_run import Recovered
    from vetlla.domain.signals import Arrival, Verdict
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.intake.rejects import Rejects
    from vetlla.receiver.queue.placement import Placement
    from vetlla.receiver.supervision.supervision import Supervision
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()

_ROUTINE = Priority.ROUTINE
_BUFFERED, _REPEATED = Flag.BUFFERED.value, Flag.REPEATED.value  # plain integers: an IntFlag costs 1 us a step

BATCH_MAX = 1_000
"""Signals in one transaction; the frame that reaches this number is taken whole. The number bounds how long the first
signal waits for the last one's row."""
STRANGERS_SHARE = BATCH_MAX // 4
"""Signals of strangers in one transaction, so that strangers that wait never delay a home."""
STRANGERS_WAITING = 5_000
"""Most signals of strangers that wait: some seconds of work. The receiver does not take further ones, and the
strangers repeat them."""
LATE_NAMED = 10
"""Most signals that one line of the log names."""

Deliver: TypeAlias = "Callable[[Sequence[Verdict] | None, datetime], None]"
"""Takes the verdicts of a frame's signals, and the instant. None means no verdict: the peer gets no answer."""


class _Frame(NamedTuple):
    arrival: Arrival
    signals: Sequence[Signal]
    account: Account | None
    deliver: Deliver


class Intake(Participant):
    """Decides what happens to the items that decoders read. Runs in the event loop."""

    def __init__(
        self,
        *,
        settings: Settings,
        book: AccountBook,
        recovered: Recovered,
        placement: Placement,
        commit: GroupCommit,
        rejects: Rejects,
        supervision: Supervision,
        counters: Counters,
        clock: Clock,
        batch_max: int = BATCH_MAX,
        strangers_share: int = STRANGERS_SHARE,
        strangers_waiting: int = STRANGERS_WAITING,
    ) -> None:
        self._duplicates = Duplicates(settings.store, recovered.recent)
        self._ports = frozenset(line.name for line in settings.line)
        """Ports of line receivers. It is looked at first, so that a service without them pays nothing for them."""
        self.last_frames = LastFrames(self._ports, recovered.recent.frames, clock.now().mono_us)
        """The last frame of each port of a line receiver."""
        self._rejects = rejects
        self.in_clear = InClearReports(rejects, commit)
        """Takes what peers sent in clear to a port for TLS."""
        self.apply(settings, book)
        self._placement = placement
        self._retries = Retries(self._duplicates, self.last_frames, placement)
        self._commit = commit
        self._supervision = supervision
        self._counters = counters
        self._clock = clock
        self._batch_max = batch_max
        self._strangers_share = strangers_share
        self._strangers_waiting_max = strangers_waiting
        self._next_signal = self._first_signal = recovered.next_signal
        self._next_frame = recovered.next_signal
        """Number of the frame that is decided on. Frames of previous runs have the numbers of their first signals."""
        self._frames: deque[_Frame] = deque()
        self._strangers: deque[_Frame] = deque()
        """Frames of strangers, which come after those of homes."""
        self._signals_waiting = self._strangers_waiting = 0
        """Signals of homes and of strangers that wait for their commit."""
        self._planned: list[tuple[_Frame, list[Verdict]]] = []

    def apply(self, settings: Settings, book: AccountBook) -> None:
        """Apply settings and accounts."""
        self.settings = settings
        self.book = book
        self._unknown = settings.intake.unknown_accounts
        self._plain_for_keyed = settings.intake.plain_for_keyed is PlainPolicy.ACCEPT
        self._table = {**PRIORITIES, **settings.queue.priorities}
        self.in_clear.apply(book, self._table)
        self._t2_max_us = round(settings.queue.t2_max_s * SECOND_US)
        self._duplicates.apply(settings.store)

    # --- what comes in ----------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Signals that wait for their commit."""
        return self._signals_waiting + self._strangers_waiting

    def submit(
        self, arrival: Arrival, signals: Sequence[Signal], deliver: Deliver, against: Reason | None = None
    ) -> bool:
        """Take the signals of one frame; ``deliver`` is called once, when there is a verdict or there will be none.

        Return True if they name a registered account. ``against`` is a reason to refuse them because of how they came.
        """
        first = signals[0]
        account = self.book.find(first.id)
        if self._ports and account is not None and not _may_speak_for(account, first, arrival):
            account = None
        if account is not None and account.maker is not None:
            signals = [as_meant_by(account.maker, signal) for signal in signals]
        now_us = arrival.received.utc_us
        unknown, plain_for_keyed = self._unknown, self._plain_for_keyed
        reason = against or objection(first, account, now_us, unknown=unknown, plain_for_keyed=plain_for_keyed)
        alive_only = reason is None and account is not None and self._supervision.heard(account, signals, arrival)
        if not self._commit.ready:
            # Nothing new can be stored, not even a refusal. A retry of a durable report may be acknowledged.
            known = reason is None and self._retries.are_durable(
                signals, account, arrival, before=self._first_signal, on_port=arrival.listener in self._ports
            )
            deliver([DUPLICATE] * len(signals) if known else None, to_datetime(now_us))
        elif reason is not None:
            self._rejects.refuse(arrival, signals, account, reason, self._table)
            if self._ports:
                self.last_frames.passed(arrival.listener)
            deliver([refused(reason)] * len(signals), to_datetime(now_us))
        elif alive_only:
            if self._ports and first.raw:
                self.last_frames.idle(arrival.listener)
            self._counters.heartbeats[first.protocol] += 1
            deliver([STORED], to_datetime(now_us))
        elif account is not None or arrival.listener in self._ports:
            # The messages of a line receiver stay in their order, by which repetitions are recognised.
            self._frames.append(_Frame(arrival, signals, account, deliver))
            self._signals_waiting += len(signals)
            self._commit.wake()
        elif self._strangers_waiting < self._strangers_waiting_max or arrival.transport == "mqtt":
            # A broker bounds what it delivers, and repeats nothing while the connection lasts.
            self._strangers.append(_Frame(arrival, signals, account, deliver))
            self._strangers_waiting += len(signals)
            self._commit.wake()
        else:
            deliver(None, to_datetime(now_us))  # not taken, so the caller repeats it
        return account is not None

    def reject(self, arrival: Arrival, reject: Reject) -> None:
        """Take bytes that could not be read as a report."""
        self._rejects.reject(arrival, reject, self.book.find(reject.id) if reject.id else None)

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """True if frames wait."""
        return bool(self._frames or self._strangers)

    def plan(self, batch: Batch, now: Instant) -> None:
        """Decide on the frames that wait, and fill the batch with their signals."""
        self._duplicates.forget(now.mono_us)
        self._signals_waiting -= self._decide_on(self._frames, batch, self._batch_max)
        self._strangers_waiting -= self._decide_on(self._strangers, batch, self._strangers_share)
        if batch.signals:
            batch.seal(now.utc_us, self._first_signal, self._next_signal - 1)

    def _decide_on(self, frames: deque[_Frame], batch: Batch, at_most: int) -> int:
        """Decide on frames that wait, until ``at_most`` signals are taken; return the number of signals taken."""
        planned, taken = self._planned, 0
        while frames and taken < at_most:
            frame = frames.popleft()
            self._next_frame += 1
            signals = frame.signals
            first, count = signals[0], len(signals)
            taken += count
            try:
                if self._ports and first.raw and frame.arrival.listener in self._ports:
                    verdicts = self._decide_on_port(frame, batch)
                elif count == 1:
                    verdicts = [self._decide(first, frame, batch)]
                else:
                    verdicts = self._decide_all(signals, frame, batch)
            except Exception:
                # A third party's decoder returned values that fit no row. An alarm that they opened stays open.
                log.exception("frame.failed", protocol=first.protocol, peer=frame.arrival.peer)
                self._tell(frame, None, to_datetime(self._clock.now().utc_us))
                continue
            planned.append((frame, verdicts))
            self._duplicates.end_frame(first.id, self._next_frame)
        return taken

    def _decide_all(self, signals: Sequence[Signal], frame: _Frame, batch: Batch) -> list[Verdict]:
        """Decide on the events of one frame. Its bytes are stored once, with the first event that is stored."""
        verdicts: list[Verdict] = []
        for signal in signals:
            kept = STORED in verdicts
            verdicts.append(self._decide(signal._replace(raw=b"") if kept else signal, frame, batch))
        return verdicts

    def _decide_on_port(self, frame: _Frame, batch: Batch) -> list[Verdict]:
        """Decide on a frame of a line receiver, which can repeat only its last one."""
        arrival, signals, account, _ = frame
        now_us = arrival.received.mono_us
        last = self._retries.repeated_on_port(signals, account, arrival)
        if last is not None:
            for signal, (number, alarm) in zip(signals, last.reports, strict=True):
                self._retries.tell_again((number, alarm), signal.id, account, arrival, batch)
            self.last_frames.repeat(arrival.listener, last, now_us)
            return [DUPLICATE] * len(signals)
        reports = []
        for part, signal in enumerate(signals):
            number = self._next_signal
            alarm = self._store(signal._replace(raw=b"") if part else signal, frame, batch)
            reports.append((number, alarm))
        self.last_frames.keep(arrival.listener, signals[0].raw, reports, now_us)
        return [STORED] * len(signals)

    def _decide(self, signal: Signal, frame: _Frame, batch: Batch) -> Verdict:
        # Unpack fields into local names, because each access to a field costs as much as the rest of its line.
        arrival, _, account, _ = frame
        identity = signal.identity
        told_in = first = None
        if identity and (first := self._duplicates.find(identity)):
            retelling = self._retries.compare(signal, first, account, arrival)
            if retelling is Retelling.RETRY:
                self._retries.count_again(signal, first, account, arrival, batch, frame=self._next_frame)
                return DUPLICATE
            if retelling is Retelling.ADDITION:
                told_in = first.alarm
        if first is not None and signal.occurred_at is None:
            # It may still be a retry. A repeated "left" must not pause a UCR whose "back" came in between.
            self._store(signal, frame, batch, told_in=told_in, may_be_retry=True)
        else:
            self._store(signal, frame, batch, told_in=told_in)
        return STORED

    def _store(
        self, signal: Signal, frame: _Frame, batch: Batch, *, told_in: int | None = None, may_be_retry: bool = False
    ) -> int | None:
        """Store a signal with its alarm; return the alarm if it is open and may count repetitions of the signal."""
        arrival, _, account, _ = frame
        received, identity, repeated = arrival.received, signal.identity, signal.repeated
        number = self._next_signal
        self._next_signal += 1
        # A caller without an account is identified by its address, so two of them open two alarms.
        home = home_of(account, signal.id) or arrival.host
        is_known = repeated and self._placement.has_emergency(home, account, received)
        event, priority = weigh(signal, account, self._table, is_known=is_known)
        if (
            signal.from_broker
            and account is not None
            and is_last_will(signal)
            and self._supervision.answers_for(account)
        ):
            priority = Priority.ROUTINE  # a failed cell is one incident, not an alarm for each home's last will
        note = "" if priority is _ROUTINE else age(signal, received.utc_us)
        known = account is not None
        report = DeskReport(number, signal.id, home, event, priority, signal.device, known, repeated, note, account)
        alarm, flags = self._placement.place(report, arrival, batch, told_in=told_in)
        if signal.buffered or repeated or told_in is not None:
            flags |= (_BUFFERED if signal.buffered else 0) | (_REPEATED if repeated or told_in else 0)
        occurred_us, sent_us, said = batch.add_signal(
            signal if event is signal.event else signal._replace(event=event),
            arrival,
            number=number,
            home=home,
            priority=priority,
            flags=flags,
            alarm=alarm,
        )
        # A report that is kept with a closed alarm, as those of a runaway are, is not one of that alarm's calls.
        held = alarm if alarm in self._placement.open else None
        if identity:
            told_us = received.mono_us
            self._duplicates.add((identity, number, told_us, self._next_frame, held, occurred_us, sent_us, said))
        self._supervision.stored(signal._replace(repeated=True) if may_be_retry else signal, account, received)
        return held

    # --- its end ----------------------------------------------------------------------------------------------------

    def committed(self, batch: Batch, now: Instant, _next_batch: Batch) -> None:
        """Deliver the verdicts of the batch: it was committed."""
        at, now_us = to_datetime(now.utc_us), now.mono_us
        planned, self._planned = self._planned, []
        signals = self._counters.signals
        answered_us, t2_us = [], []
        for frame, verdicts in planned:
            self._tell(frame, verdicts, at)
            (_, _, _, established, received), reported, _, _ = frame
            answered_us.append(now_us - received.mono_us)
            t2_us.append(now_us - established.mono_us)
            protocol = reported[0].protocol
            for verdict in verdicts:
                signals[protocol, verdict.outcome] += 1
        self._counters.answer.observe_each(answered_us)
        if late := self._counters.ready(t2_us, self._t2_max_us):
            named = islice(batch.established_before(now_us - self._t2_max_us), LATE_NAMED)
            log.warning("signals.late", count=late, signals=list(named))
        self._first_signal = self._next_signal
        self._duplicates.committed()
        if self._ports:
            self.last_frames.committed()

    def rolled_back(self, _: Batch) -> None:
        """Undo what the frames of the batch changed: it was rolled back. Their peers get no answer, so they repeat."""
        self._duplicates.rolled_back()
        self.last_frames.rolled_back()
        self._next_signal = self._first_signal
        at = to_datetime(self._clock.now().utc_us)
        planned, self._planned = self._planned, []
        for frame, _verdicts in planned:
            self._tell(frame, None, at)

    def drop_waiting(self) -> None:
        """Drop the frames that wait, without an answer; terminals repeat them, here or at their second receiver."""
        at = to_datetime(self._clock.now().utc_us)
        for frames in (self._frames, self._strangers):
            while frames:
                self._tell(frames.popleft(), None, at)
        self._signals_waiting = self._strangers_waiting = 0

    @staticmethod
    def _tell(frame: _Frame, verdicts: Sequence[Verdict] | None, at: datetime) -> None:
        try:
            frame.deliver(verdicts, at)
        except Exception:
            # A third party's decoder, or a transport, has failed. That must not delay the alarms of other peers.
            log.exception("answer.failed", protocol=frame.signals[0].protocol, peer=frame.arrival.peer)


def _may_speak_for(account: Account, signal: Signal, arrival: Arrival) -> bool:
    """Return False for a line receiver's account in a report that did not come through its own port."""
    return not account.account.startswith(LINE_RECEIVER) or signal.id.account == arrival.of_line
