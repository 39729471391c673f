"""Supervision: takes every sign of life, and notices a silent device within a second of its deadline.

It lives in the event loop and connects the parts: the silences and states of devices, the losses that follow from
them, and the records that the journal keeps. Other code calls its methods and knows none of these parts. It has one
timer, set to the earliest deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import NOT_WATCHED
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Kind, Phase
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.supervision.bounds import SupervisionBounds
from vetlla.receiver.supervision.enrolment import Enrolment
from vetlla.receiver.supervision.fleet import Fleet
from vetlla.receiver.supervision.incidents import Incidents
from vetlla.receiver.supervision.listener_numbers import ListenerNumbers
from vetlla.receiver.supervision.losses import Losses
from vetlla.receiver.supervision.pauses import Order, Pauses
from vetlla.receiver.supervision.records import SupervisionRecords
from vetlla.receiver.supervision.recovery import recover_devices
from vetlla.receiver.supervision.silence import Silence
from vetlla.receiver.supervision.states import DeviceStates
from vetlla.receiver.timer import EarliestTimer
from vetlla.service.supervision.rules import Collapse, Health, Pause, absence

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.signals import Arrival, Signal
    from vetlla.domain.supervision import OrderedPause
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.queue.placement import Placement
    from vetlla.receiver.supervision.expectations import Expectations
    from vetlla.receiver.supervision.incidents import Incident
    from vetlla.receiver.watchers import Watchers
    from vetlla.settings.supervision import SupervisionSettings
    from vetlla.store.journal.batch import Batch
    from vetlla.store.ports import JournalWriter

_HEARTBEAT = Kind.HEARTBEAT  # a plain name: to look a member up in its enum costs more than the comparison

STOPPED_RETRY_S = 1.0
"""How often to check whether reports can be taken again. No device is marked late or lost until then."""


class Supervision(Participant):
    """Supervision of the fleet."""

    def __init__(
        self,
        *,
        settings: SupervisionSettings,
        desk: Desk,
        placement: Placement,
        commit: GroupCommit,
        watchers: Watchers,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        bounds: SupervisionBounds = SupervisionBounds(),
    ) -> None:
        self._clock = clock
        self._commit = commit
        now = clock.now()
        self.fleet = Fleet()
        """Every device and its data, to read only."""
        self._silence = Silence(self.fleet, settings.tolerance_s, now)
        self._states = DeviceStates(self.fleet, self._silence)
        self._listeners = ListenerNumbers()
        self._incidents = Incidents(self.fleet, _rule(settings), self._listeners.label)
        self._records = SupervisionRecords(
            settings, self._states, clock, every_s=bounds.every_s, rows=bounds.rows, stretches=bounds.stretches
        )
        self._losses = Losses(
            settings=settings,
            fleet=self.fleet,
            silence=self._silence,
            incidents=self._incidents,
            write_at_once=self._records.write_at_once,
            desk=desk,
            placement=placement,
            commit=commit,
            watchers=watchers,
            clock=clock,
        )
        self._pauses = Pauses(self._states, self._records.day_counters)
        self._enrolment = Enrolment(self._states, self._pauses, clock, at_once=bounds.at_once, ucrs_max=bounds.ucrs_max)
        self.on_new_day: Callable[[], object] = lambda: None
        """Called when a day of the service begins, because suspensions begin and end with a day."""
        self._timer = EarliestTimer(loop, self._fall_due)
        commit.on_turn.append(self._turned)
        self._announced = self.today
        """The last day for which ``on_new_day`` was called."""

    # --- signs of life ----------------------------------------------------------------------------------------------

    def heard(self, account: Account, signals: Sequence[Signal], arrival: Arrival) -> bool:
        """Take a registered caller's frame as a sign of life. Return True if it contains nothing else.

        Heartbeats of the terminal and presence reports of known UCRs contain nothing else: they are counted in memory.
        """
        terminal = account.unit
        if terminal == NOT_WATCHED:
            return False
        now = arrival.received
        if not self._records.day_counters.today.holds(now.utc_us):
            self._records.end_day(now)  # a report after midnight belongs to the new day
        if signals[0].from_broker:
            self._take_last_will(terminal, signals[0], now)
            return False
        return self._take_signs(terminal, signals, self._listeners[arrival.listener], now)

    def _take_last_will(self, terminal: int, signal: Signal, now: Instant) -> None:
        """Mark a terminal as lost if its broker reports that its connection broke just now."""
        if is_last_will(signal):
            idle = not self._states.changed_blocks
            self._states.cut_off(terminal, now)
            self._note(now, idle=idle)

    def _take_signs(self, terminal: int, signals: Sequence[Signal], listener: int, now: Instant) -> bool:
        """Take the signs of life of a terminal and of its UCRs. Return True if the frame contains nothing else."""
        states = self._states
        idle = not states.changed_blocks
        states.heard(terminal, listener, now)
        alive_only = len(signals) == 1
        for signal in signals:
            if signal.event.kind is not _HEARTBEAT:
                alive_only = self._heard_through(terminal, signal, listener, now) and alive_only
        if idle or states.state_changes:
            self._note(now, idle=idle)
        return alive_only

    def answers_for(self, account: Account) -> bool:
        """Return True if an account's terminal is supervised, so that its loss opens an alarm or joins an incident."""
        return account.unit != NOT_WATCHED and self.fleet.state[account.unit] != Health.NOT_SUPERVISED

    def _note(self, now: Instant, *, idle: bool) -> None:
        """Follow up changes and get them written; ``idle`` means that nothing waited to be written before."""
        if idle:
            self._records.begin(now)
            self._schedule_rows(now)
        self._follow()

    def _heard_through(self, terminal: int, signal: Signal, listener: int, now: Instant) -> bool:
        """Take the sign of life of a UCR in a signal. Return True if the signal is only the presence of a known UCR."""
        kind, phase = signal.event.kind, signal.event.phase
        if not signal.device or (kind is Kind.DEVICE_LOST and phase is not Phase.RESTORE):
            return False
        primary_terminal = self._enrolment.primary_terminal(terminal)
        ucr = self.fleet.ucr(primary_terminal, signal.device)
        if ucr is None:
            if (
                kind is Kind.PRESENCE
                and (learned := self._enrolment.learn(primary_terminal, signal.device, now)) is not None
            ):
                self._share_pause(primary_terminal, learned, now)
                self._states.heard(learned, listener, now)
            return False
        self._states.heard(ucr, listener, now)
        return kind is Kind.PRESENCE

    def _share_pause(self, terminal: int, ucr: int, now: Instant) -> None:
        """Give a newly learned UCR the ordered pause of its terminal, because that pause covers all its UCRs."""
        if order := self.order_of(terminal):
            batch = self._commit.batch
            self._pauses.order([ucr], Order(order.operator, order.reason, order.until_us), now, batch)
            self._records.write_at_once([ucr], batch)

    def stored(self, signal: Signal, account: Account | None, now: Instant) -> None:
        """Pause a home's UCRs if the user left, and end the pause on return. Called once for each stored report."""
        if signal.event.kind is Kind.PRESENCE or (left := absence(signal.event)) is None:
            return
        # A departure that is buffered, repeated or from a broker may be old. An old return still ends the pause.
        if left and (signal.buffered or signal.repeated or signal.from_broker):
            return
        if account is None or account.unit == NOT_WATCHED:
            return
        idle = not self._states.changed_blocks
        for child in self.ucrs_of(account.unit):
            self._pauses.set(child, Pause.AWAY if left else Pause.NONE, Pause.AWAY, now)
        self._note(now, idle=idle)

    # --- time -------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the timer to the earliest deadline."""
        now = self._clock.now()
        midnight_us = now.mono_us + self._records.day_counters.today.ends_us - now.utc_us
        dues = [due for due in (self._states.next_us, self._pauses.next_us, midnight_us) if due is not None]
        self._timer.within(max(0, min(dues) - now.mono_us) / SECOND_US)

    def _fall_due(self) -> None:
        if not self._commit.ready:
            self._timer.within(STOPPED_RETRY_S)
        elif self.look():
            self._timer.within(0)
        else:
            self._arm()

    def _turned(self) -> None:
        """Stop or restart the clock of silence when the receiver ceases or begins to take reports."""
        if self._commit.ready:
            self._silence.restart(self._clock.now())
        else:
            self._silence.stop(self._clock.now())

    def look(self) -> bool:
        """Check the devices whose deadline has passed. Return True if more may be due.

        Time in which the receiver could not take reports does not count.
        """
        now = self._clock.now()
        if self._records.end_day(now):
            self._commit.wake()
        self._records.write_at_once(self._pauses.end_due(now, self._commit.batch), self._commit.batch)
        more = self._states.pass_time(now)
        if self._states.state_changes:
            self._follow()
        return more

    def _follow(self) -> None:
        self._losses.take(self._states.take_state_changes())
        self._arm()

    def stop(self) -> None:
        """Stop checking deadlines."""
        self._timer.stop()

    # --- what is known of a device ----------------------------------------------------------------------------------

    def ucrs_of(self, terminal: int) -> Sequence[int]:
        """Return the UCRs that are expected through a terminal, or through the first terminal of its home."""
        return self.fleet.ucrs_of(self._enrolment.primary_terminal(terminal))

    def ucr(self, terminal: int, device: str) -> int | None:
        """Return the number of one of these UCRs by the id that the terminal reports, or None."""
        return self.fleet.ucr(self._enrolment.primary_terminal(terminal), device)

    def missed(self, device: int, now: Instant) -> int:
        """Return how many signs of life in a row failed to come; 0 if none are expected."""
        if not self.fleet.interval_s[device] or self.fleet.state[device] == Health.NOT_SUPERVISED:
            return 0
        return self._silence.missed(device, now)

    def has_grace(self, device: int) -> bool:
        """Return True if a miss is forgiven, because the receiver took no reports during the silence."""
        return bool(self._silence.grace(device))

    def due_us(self, device: int, missed: int, now: Instant) -> int:
        """Return the instant (UTC) at which ``missed`` + 1 signs of life will have failed to come."""
        return now.utc_us + self._silence.mono_us(self._silence.due_us(device, missed)) - now.mono_us

    def alarm_of(self, device: int) -> int | None:
        """Return the alarm of a device's own loss, or None."""
        return self._losses.alarm_of(device)

    def order_of(self, device: int) -> OrderedPause | None:
        """Return the pause that a person ordered for a device, or None."""
        return self._pauses.ordered.get(device)

    def labels(self, device: int) -> Sequence[str]:
        """Return the labels that a device shares with other devices."""
        return self._incidents.labels(device)

    def incident_of(self, device: int) -> Incident | None:
        """Return the incident in which a device is lost, or None."""
        return self._incidents.of.get(device)

    def incident(self, number: int) -> Incident | None:
        """Return an open incident by its number, or None."""
        return self._incidents.open.get(number)

    def open_incidents(self) -> Sequence[Incident]:
        """Return the open incidents."""
        return tuple(self._incidents.open.values())

    @property
    def today(self) -> date:
        """The day of the service that is counted now."""
        return self._records.day_counters.today.day

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether something should be written at once."""
        return self._losses.pending or self._records.pending

    def flush_soon(self) -> None:
        """Write what was kept back for a later batch with the next batches."""
        self._records.flush_soon()

    def plan(self, batch: Batch, now: Instant) -> None:
        """Add changes of state, alarms and signs of life to a batch."""
        self._losses.plan(batch)
        self._records.plan(batch, now)
        self._schedule_rows(now)
        if self.today != self._announced:
            self._announced = self.today
            self.on_new_day()

    def committed(self, _batch: Batch, _now: Instant, _next_batch: Batch) -> None:
        """Log and publish the losses that are durable now."""
        self._losses.committed()

    def rolled_back(self, _: Batch) -> None:
        """Write the losses again with the next batch."""
        self._losses.rolled_back()

    def _schedule_rows(self, now: Instant) -> None:
        """Ask for a commit when the next rows should be written."""
        due_in_s = self._records.due_in_s(now)
        if due_in_s is not None:
            self._commit.within(due_in_s)

    # --- what the journal and the registry say ----------------------------------------------------------------------

    def recover(self, journal: JournalWriter) -> None:
        """Continue where the previous run ended: lost devices stay lost, and silences go on. Blocks."""
        kept = journal.supervision()
        now = self._clock.now()
        self._silence.resume(kept, self._records.day_counters.zone)
        is_ahead = recover_devices(journal.units(), self._states, self._records.day_counters, now)
        self._incidents.resume(kept, now)
        self._losses.resume(kept.lost)
        self._records.resume(journal, kept, now)
        self._records.unfinished(journal, kept)
        if is_ahead:
            self._states.mark_all()  # the clock was ahead: a reader would take the rows of that day for newer ones
        for order in kept.pauses:
            self._pauses.remember(order, now)
            self._pauses.set(order.unit, Pause.ORDERED, Pause.ORDERED, now)

    async def apply(self, settings: SupervisionSettings, expectations: Expectations) -> None:
        """Apply settings and registry; they are in force when this returns."""
        self._silence.tolerance_us = round(settings.tolerance_s * SECOND_US)
        self._incidents.rule = _rule(settings)
        self._losses.settings = settings
        self._records.apply(settings)
        idle = not self._states.changed_blocks
        await self._enrolment.apply(expectations)
        self._incidents.count_groups()
        self._note(self._clock.now(), idle=idle)

    # --- ordered pauses ---------------------------------------------------------------------------------------------

    def pause(self, devices: Sequence[int], order: Order, batch: Batch) -> None:
        """Pause devices, and add the pauses to the current batch."""
        now, idle = self._clock.now(), not self._states.changed_blocks
        self._pauses.order(devices, order, now, batch)
        self._records.write_at_once(devices, batch)
        self._note(now, idle=idle)

    def lift(self, devices: Iterable[int], batch: Batch) -> list[int]:
        """End ordered pauses; return the devices that had one."""
        now, idle = self._clock.now(), not self._states.changed_blocks
        lifted = self._pauses.lift(devices, now, batch)
        self._records.write_at_once(lifted, batch)
        self._note(now, idle=idle)
        return lifted


def is_last_will(signal: Signal) -> bool:
    """Return True if a broker reports that a terminal's connection broke just now; a retained report is old."""
    return signal.from_broker and signal.event.kind is Kind.PATH_TROUBLE and not signal.repeated


def _rule(settings: SupervisionSettings) -> Collapse:
    return Collapse(settings.incident_devices, settings.incident_window_s, settings.incident_share)
