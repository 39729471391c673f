"""The world of the state machine: an office, citizens, providers that fail, and a service that is killed.

A kill is a database that is opened again without a commit. It can come at each point between two commits: before and
after ``sending`` is committed, after the provider took the message, and after the outcome was committed.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.rigs.reminders import SOURCE, TABLES, FakeProvider, FakeSource, render
from vetlla.domain.appointments import EXPECTED, AppointmentKey, AppointmentStatus
from vetlla.domain.clock import ManualClock
from vetlla.domain.messages import ENDED, Channel, Delivery, DeliveryReport
from vetlla.gateways.contracts import OutcomeUnknownError
from vetlla.service.reminders.cancelling import CancelRules
from vetlla.service.reminders.decision import Away
from vetlla.service.reminders.quiet import QuietHours
from vetlla.service.reminders.steps import RulesBook, Step, StepRules
from vetlla.store.reminders import appointments, cancellations, citizens, messages
from vetlla.store.reminders.cancellations import CancellationState
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import cancelling, outcomes, polling, sending
from vetlla.tasks.reminders.rules import SendRules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from vetlla.domain.outbox import OutboxMessage
    from vetlla.service.reminders.decision import Fresh
    from vetlla.store.reminders.cancellations import Cancellation

QUIET = QuietHours()
RULES = StepRules(
    steps=(Step("48h", timedelta(hours=48)), Step("24h", timedelta(hours=24))), quiet=QUIET, minimum_gap=timedelta(0)
)
SEND = SendRules(book=RulesBook(default=RULES), tables=TABLES, conversations_in_24h=10_000)


class Kill(StrEnum):
    """Where the service is killed."""

    NEVER = "never"
    BEFORE_SENDING = "before sending is committed"
    BEFORE_CALL = "after sending is committed and before the call"
    AFTER_CALL = "after the provider took it and before the outcome is committed"
    IN_OUTCOME = "while the outcome is written"


class KilledError(BaseException):
    """The service was killed: whatever is not committed is lost."""


def _killed_if(*, is_now: bool) -> None:
    if is_now:
        raise KilledError


def _killed_while_writing(db: sqlite3.Connection) -> None:
    with atomic(db):
        db.execute("UPDATE outbox SET detail = 'half written'")
        raise KilledError


class World:
    """Everything that the invariants look at."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.now = now
        self.folder = folder
        self.source = FakeSource()
        self.provider = FakeProvider()
        self.failures: dict[tuple[str, str, str, str, Channel], int] = {}
        """How often the provider said that it did not deliver a message which it had taken."""
        self.asked: set[tuple[AppointmentKey, datetime]] = set()
        """What citizens cancelled."""
        self.opted_out: set[str] = set()
        self.changed: set[AppointmentKey] = set()
        """Appointments that the office itself cancelled or removed."""
        self.clock = ManualClock(now)
        self._stack = ExitStack()
        self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = self._stack.enter_context(opened(self.folder, self.clock))
        db.execute("PRAGMA synchronous = OFF")  # the machine does not lose power, only the process is killed
        return db

    def kill(self) -> None:
        """End the service without a commit, and start it again."""
        self._stack.close()
        self._stack = ExitStack()
        self.db = self._open()

    def close(self) -> None:
        """Close the database."""
        self._stack.close()

    # --- the service --------------------------------------------------------------------------------------------------

    def poll(self, lost: Sequence[AppointmentKey] = ()) -> None:
        """Poll the office; the answer may lack some appointments that are there."""
        poll = self.source.poll(self.now)
        poll = replace(poll, appointments=tuple(one for one in poll.appointments if one.key not in lost))
        changes = polling.apply_poll(self.db, SOURCE, poll, SEND.book, self.now)
        for wanted in changes.to_check:
            polling.apply_absent(self.db, wanted, self.source.get(wanted), SEND.book, self.now)

    def plan(self) -> None:
        """Plan what is due."""
        polling.plan_due(self.db, SEND.book, self.now)

    def sweep(self) -> None:
        """Bring on what waits for nothing."""
        outcomes.sweep(self.db, self.now)

    def taken(self, db: sqlite3.Connection | None = None, holder: str = "a") -> list[OutboxMessage]:
        """Claim what is due."""
        return sending.take(db or self.db, holder, self.now)

    def sent(
        self,
        taken: Sequence[OutboxMessage],
        how: Sequence[str] = ("taken",),
        kill: Kill = Kill.NEVER,
        *,
        source_away: bool = False,
        db: sqlite3.Connection | None = None,
    ) -> None:
        """Settle, call and finish, unless the service is killed in between."""
        db = db or self.db
        pairs: list[tuple[OutboxMessage, Fresh]] = [
            (one, Away.AWAY if source_away else self.source.get(one.plan.key.appointment)) for one in taken
        ]
        try:
            if kill is Kill.BEFORE_SENDING:
                _killed_while_writing(db)
            ready = sending.settle(db, pairs, SEND, self.now, render)
            _killed_if(is_now=kill is Kill.BEFORE_CALL)
            results = []
            for number, one in enumerate(ready):
                results.append((one, self.provider.call(one, self.now, how[number % len(how)])))
                _killed_if(is_now=kill is Kill.AFTER_CALL)
            if kill is Kill.IN_OUTCOME and results:
                _killed_while_writing(db)
            outcomes.finish(db, results, SEND, self.now)
        except KilledError:
            self.kill()

    def report(self, number: int, delivery: Delivery, code: str = "131026") -> None:
        """Let the provider report about one of its messages, perhaps again."""
        if not self.provider.sends:
            return
        sent = self.provider.sends[number % len(self.provider.sends)]
        if delivery is Delivery.FAILED:
            name = (*sent.what, sent.channel)
            self.failures[name] = self.failures.get(name, 0) + 1
        report = DeliveryReport(
            provider_id=sent.provider_id,
            delivery=delivery,
            at=self.now,
            reference=sent.outgoing.reference if number % 2 else "",
            code=code if delivery is Delivery.FAILED else "",
        )
        outcomes.take_reports(self.db, sent.channel, [report], SEND, self.now)

    # --- citizens -----------------------------------------------------------------------------------------------------

    def opt_out(self, phone: str) -> None:
        """Let a citizen opt out of both channels."""
        with atomic(self.db):
            citizen = citizens.citizen_id(self.db, phone, "", self.now)
            assert citizen is not None
            citizens.opt_out(self.db, citizen, Channel, self.now, "reply")
        self.opted_out.add(phone)

    def want_cancelled(self, wanted: AppointmentKey) -> None:
        """Let a citizen cancel the hour that the service knows."""
        kept = appointments.kept(self.db, wanted)
        if kept is None or kept.appointment.status not in EXPECTED:
            return
        self.asked.add((wanted, kept.appointment.start))
        with atomic(self.db):
            cancellations.want_cancelled(self.db, wanted, kept.appointment.start, None, self.now)

    def cancel_due(self, how: str = "done", kill: Kill = Kill.NEVER, *, source_away: bool = False) -> None:
        """Carry out the cancellations that are due."""
        for wanted in cancellations.due_cancellations(self.db, self.now):
            try:
                self._cancel(wanted, how, kill, source_away=source_away)
            except KilledError:
                self.kill()
                return

    def _cancel(self, wanted: Cancellation, how: str, kill: Kill, *, source_away: bool) -> None:
        fresh: Fresh = Away.AWAY if source_away else self.source.get(wanted.appointment)
        found = cancelling.begin(self.db, wanted, fresh, CancelRules(), self.now)
        if kill in {Kill.BEFORE_SENDING, Kill.BEFORE_CALL}:
            raise KilledError
        if found.call is None:
            return
        result: cancelling.CancelResult = OutcomeUnknownError("no answer")
        if how != "never":
            result = self.source.cancel(wanted.appointment)
        if how == "lost":
            result = OutcomeUnknownError("no answer")
        if kill in {Kill.AFTER_CALL, Kill.IN_OUTCOME}:
            raise KilledError
        cancelling.end(self.db, found.call, result, self.now)

    # --- the invariants -----------------------------------------------------------------------------------------------

    def check_sends(self, first: int) -> None:
        """Check the messages that the provider took since a number of them; call it before the world changes."""
        for sent in self.provider.sends[first:]:
            kind, name, start, _ = sent.what
            one = self.source.get(AppointmentKey(SOURCE, name))
            if kind == "cancelled":
                assert one is None or one.status is AppointmentStatus.CANCELLED, (
                    "a notice of a cancellation that was none"
                )
            else:
                assert one is not None, "a reminder of a cancelled appointment"
                assert one.status in EXPECTED, "a reminder of an appointment that its citizen need not come to"
                assert one.start.isoformat() == start, "a reminder with another hour"
                assert one.start > sent.at, "a reminder of the past"
                assert sent.outgoing.phone == one.phone, "a message to the wrong person"
                assert sent.outgoing.phone not in self.opted_out, "a message to a citizen who opted out"
            if kind == "reminder":
                assert not QUIET.is_quiet(sent.at, "Europe/Madrid"), "a reminder in quiet hours"

    def check(self) -> None:
        """Check what must hold at any time."""
        counts: dict[tuple[str, str, str, str, Channel], int] = {}
        for sent in self.provider.sends:
            name = (*sent.what, sent.channel)
            counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            if name[0] == "reminder":
                assert count <= 1 + self.failures.get(name, 0), f"sent {count} times: {name}"
        assert len(self.source.cancelled) == len(set(self.source.cancelled)), "cancelled twice"

    def check_cancellations(self) -> None:
        """Check that no cancellation is left without an end, and that those that are done are done at the source."""
        for wanted, start in self.asked:
            own = cancellations.cancellation(self.db, wanted, start)
            assert own is not None
            assert own.state not in {"wanted", "calling", "unknown"}, "a cancellation was lost"
            if own.state is CancellationState.DONE:
                assert wanted in self.source.cancelled or wanted in self.changed, "a cancellation that was not made"

    def check_all_ended(self) -> None:
        """Check that no message is left without an end."""
        left = messages.overdue(self.db, self.now)
        assert [one for one in left if one.state not in ENDED] == []
