"""The watchdog: hears every sign of life, and notices within a second of its due time who fell silent.

It lives in the event loop and ties the parts together: the watch (who is in which state), the losses (what follows from
it), the bookkeeping (what the journal keeps of it). One timer, for whoever is due first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import NOT_WATCHED, Account
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Kind, Phase
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.supervision.bookkeeping import Bookkeeping
from vetlla.receiver.supervision.daybook import silent_at_loss_us, silent_since_us
from vetlla.receiver.supervision.enrolment import Enrolment
from vetlla.receiver.supervision.fleet import NO_PARENT, NOWHERE, Fleet, name_of
from vetlla.receiver.supervision.incidents import Incidents
from vetlla.receiver.supervision.losses import Losses
from vetlla.receiver.supervision.pauses import Order, Pauses
from vetlla.receiver.supervision.uptime import Uptime
from vetlla.receiver.supervision.watch import Watch
from vetlla.service.supervision.rules import Collapse, Health, Pause, absence

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.signals import Arrival, Signal
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.dispatch import Dispatch
    from vetlla.receiver.queue.desk import Desk
    from vetlla.receiver.supervision.fleet import Name
    from vetlla.receiver.supervision.roster import Roster
    from vetlla.settings.model import SupervisionSettings
    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.journal import Journal

DEAF_RETRY_S = 1.0
"""While reports cannot be taken nobody is judged; this often it is looked whether they can."""
LISTENERS_MAX = 255
"""A byte for each device says through which listener it was last heard."""


class Watchdog(Participant):
    """Supervision of the fleet."""

    def __init__(
        self,
        *,
        settings: SupervisionSettings,
        desk: Desk,
        commit: GroupCommit,
        dispatch: Dispatch,
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._clock = clock
        self._commit = commit
        self._loop = loop
        now = clock.now()
        self.fleet = Fleet()
        self.watch = Watch(self.fleet, settings.tolerance_s, now)
        self.incidents = Incidents(self.fleet, _rule(settings), self._listener_label)
        self.books = Bookkeeping(settings, self.watch, clock)
        self.losses = Losses(
            settings=settings,
            watch=self.watch,
            incidents=self.incidents,
            write_at_once=self.books.write_at_once,
            desk=desk,
            commit=commit,
            dispatch=dispatch,
            clock=clock,
        )
        self.pauses = Pauses(self.watch, self.books.daybook)
        self.enrolment = Enrolment(self.watch, self.pauses, clock)
        self.on_new_day: Callable[[], object] = lambda: None
        """Called when a day of the service begins: suspensions begin and end with it."""
        self._listeners = {"": 0}
        """Numbers of the listeners that reports came through, by name."""
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0
        commit.on_turn.append(self._turned)
        self._today = self.books.daybook.today.day

    # --- signs of life ----------------------------------------------------------------------------------------------

    def heard(self, account: Account, signals: Sequence[Signal], arrival: Arrival) -> bool:
        """Take the sign of life that a registered caller's frame is; say whether it is nothing more than that.

        Nothing more is a heartbeat of the terminal, or the presence of a known UCR: these are counted in memory.
        """
        terminal = account.unit
        if terminal == NOT_WATCHED:
            return False
        now, listener = arrival.received, self._listeners.get(arrival.listener) or self._number(arrival.listener)
        if not self.books.daybook.today.holds(now.utc_us):
            self.books.end_day(now)  # what is heard after midnight is of the new day
        idle = not self.watch.stirred
        if signals[0].hearsay:
            if is_last_will(signals[0]):
                self.watch.cut_off(terminal, now)
                self._note(now, idle=idle)
            return False
        self.watch.heard(terminal, listener, now)
        alive_only = len(signals) == 1
        for signal in signals:
            if signal.event.kind is not Kind.HEARTBEAT:
                alive_only = self._heard_through(terminal, signal, listener, now) and alive_only
        if idle or self.watch.turns:
            self._note(now, idle=idle)
        return alive_only

    def answers_for(self, account: Account) -> bool:
        """Say whether an account's terminal is supervised: then its loss is an alarm, and one with those of others."""
        return account.unit != NOT_WATCHED and self.fleet.state[account.unit] != Health.NOT_SUPERVISED

    def _note(self, now: Instant, *, idle: bool) -> None:
        """See to it that what changed is followed and written; ``idle``: nothing waited to be written before."""
        if idle:
            self.books.begin(now)
            self._see_to_rows(now)
        self._follow()

    def _heard_through(self, terminal: int, signal: Signal, listener: int, now: Instant) -> bool:
        """Take what a terminal says of its UCRs; say whether it is a known UCR's presence alone."""
        kind, phase = signal.event.kind, signal.event.phase
        if not signal.device or (kind is Kind.DEVICE_LOST and phase is not Phase.RESTORE):
            return False
        elder = self.enrolment.elder(terminal)
        ucr = self.fleet.ucr(elder, signal.device)
        if ucr is None:
            if kind is Kind.PRESENCE and (learned := self.enrolment.learn(elder, signal.device, now)) is not None:
                self._share_pause(elder, learned, now)
                self.watch.heard(learned, listener, now)
            return False
        self.watch.heard(ucr, listener, now)
        return kind is Kind.PRESENCE

    def _share_pause(self, terminal: int, ucr: int, now: Instant) -> None:
        """Let a pause of a terminal and all its UCRs be that of one which an installer adds meanwhile."""
        if order := self.pauses.ordered.get(terminal):
            batch = self._commit.batch
            self.pauses.order([ucr], Order(order.operator, order.reason, order.until_us), now, batch)
            self.books.write_at_once([ucr], batch)

    def stored(self, signal: Signal, account: Account | None, now: Instant) -> None:
        """Hear of a report that is stored, and so only once: the home was left, or somebody is back."""
        if signal.event.kind is Kind.PRESENCE or (left := absence(signal.event)) is None:
            return
        # What was kept back, or said before, tells where people were. A return counts even so: it ends a pause.
        if left and (signal.buffered or signal.repeated or signal.hearsay):
            return
        if account is None or account.unit == NOT_WATCHED:
            return
        idle = not self.watch.stirred
        for child in self.fleet.kin(self.enrolment.elder(account.unit)):
            self.pauses.set(child, Pause.AWAY if left else Pause.NONE, Pause.AWAY, now)
        self._note(now, idle=idle)

    def _number(self, name: str) -> int:
        number = self._listeners.get(name)
        if number is None and len(self._listeners) < LISTENERS_MAX:
            number = self._listeners[name] = len(self._listeners)
        return NOWHERE if number is None else number

    def _listener_label(self, number: int) -> str:
        name = list(self._listeners)[number]
        return f"listener:{name}" if name else ""

    # --- time -------------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """Set the timer for whoever is due first."""
        now = self._clock.now()
        midnight_us = now.mono_us + self.books.daybook.today.ends_us - now.utc_us
        dues = [due for due in (self.watch.next_us, self.pauses.next_us, midnight_us) if due is not None]
        self._wake_in(max(0, min(dues) - now.mono_us) / SECOND_US)

    def _wake_in(self, seconds: float) -> None:
        when = self._loop.time() + seconds
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(when, self._fall_due), when

    def _fall_due(self) -> None:
        self._timer = None
        if not self._commit.ready:
            self._wake_in(DEAF_RETRY_S)
        elif self.look():
            self._wake_in(0)
        else:
            self._arm()

    def _turned(self) -> None:
        """Hear that reports begin or cease to be taken."""
        if self._commit.ready:
            self.watch.hear_again(self._clock.now())
        else:
            self.watch.go_deaf(self._clock.now())

    def look(self) -> bool:
        """Judge whoever is due now; say whether there are more. Nobody is judged by a time in which we were deaf."""
        now = self._clock.now()
        if self.books.end_day(now):
            self._commit.wake()
        self.books.write_at_once(self.pauses.end_due(now, self._commit.batch), self._commit.batch)
        more = self.watch.pass_time(now)
        if self.watch.turns:
            self._follow()
        return more

    def _follow(self) -> None:
        self.losses.take(self.watch.take_turns())
        self._arm()

    def stop(self) -> None:
        """Judge nobody any more."""
        if self._timer is not None:
            self._timer.cancel()

    # --- one batch --------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether something should be written at once."""
        return self.losses.pending or self.books.pending

    def flush_soon(self) -> None:
        """Let what was kept back for a later batch go with the next ones."""
        self.books.flush_soon()

    def plan(self, batch: Batch, now: Instant) -> None:
        """Write down what was decided and who was heard."""
        self.losses.plan(batch)
        self.books.plan(batch, now)
        self._see_to_rows(now)
        if self.books.daybook.today.day != self._today:
            self._today = self.books.daybook.today.day
            self.on_new_day()

    def committed(self, _batch: Batch, _now: Instant) -> None:
        """Log and publish the losses that are durable now."""
        self.losses.committed()

    def rolled_back(self, _: Batch) -> None:
        """Write the losses again with the next batch."""
        self.losses.rolled_back()

    def _see_to_rows(self, now: Instant) -> None:
        due_in_s = self.books.due_in_s(now)
        if due_in_s is not None:
            self._commit.within(due_in_s)

    # --- what the journal and the registry say ----------------------------------------------------------------------

    def recover(self, journal: Journal) -> None:
        """Go on where an earlier life ended: lost devices stay lost, silences go on. Blocks."""
        kept = journal.supervision()
        now = self._clock.now()
        self.books.uptime = uptime = Uptime(kept, self.books.daybook.zone)
        parents: dict[Name, int] = {}
        is_ahead = False
        for unit in journal.units():
            account = _bare(unit.account, unit.receiver, unit.line)
            parent = parents.get(name_of(account), NO_PARENT) if unit.device else NO_PARENT
            while len(self.fleet) < unit.id:
                # A crash came between the taking up of a device and its row: its number stays unused.
                self.watch.add(_bare("", "", ""), "", NO_PARENT, now)
            number = self.watch.add(account, unit.device, parent, now)
            if not unit.device:
                parents[name_of(account)] = number
            fleet = self.fleet
            fleet.heard_us[number] = unit.heard_us
            fleet.interval_s[number], fleet.allowed[number] = unit.interval_s, unit.allowed_misses
            fleet.pause[number] = unit.pause if unit.since_us else Pause.NO_INTERVAL
            if unit.since_us:
                state = Health(unit.state)
                self.watch.restore(
                    number,
                    Health.OK if state is Health.LATE else state,
                    unit.since_us,
                    uptime.since(silent_since_us(unit)),
                    least_us=silent_at_loss_us(unit),
                )
            self.books.daybook.resume(unit, now)
            is_ahead = is_ahead or unit.day > self.books.daybook.name
        self.incidents.resume(kept, now)
        self.losses.resume(kept.lost)
        self.books.resume(journal, kept, now)
        self.books.unfinished(journal, kept)
        if is_ahead:
            self.watch.mark_all()  # a clock was ahead: rows of that day would be taken for the newer ones
        for order in kept.pauses:
            self.pauses.remember(order, now)
            self.pauses.set(order.unit, Pause.ORDERED, Pause.ORDERED, now)

    async def apply(self, settings: SupervisionSettings, roster: Roster) -> None:
        """Apply settings and registry; when this returns they count."""
        self.watch.tolerance_us = round(settings.tolerance_s * SECOND_US)
        self.incidents.rule = _rule(settings)
        self.losses.settings = settings
        self.books.apply(settings)
        idle = not self.watch.stirred
        await self.enrolment.apply(roster)
        self.incidents.count_groups()
        self._note(self._clock.now(), idle=idle)

    # --- what engineers order ---------------------------------------------------------------------------------------

    def pause(self, devices: Sequence[int], order: Order, batch: Batch) -> None:
        """Pause devices, in a batch that is being gathered."""
        now, idle = self._clock.now(), not self.watch.stirred
        self.pauses.order(devices, order, now, batch)
        self.books.write_at_once(devices, batch)
        self._note(now, idle=idle)

    def lift(self, devices: Iterable[int], batch: Batch) -> list[int]:
        """End ordered pauses; return the devices that had one."""
        now, idle = self._clock.now(), not self.watch.stirred
        lifted = self.pauses.lift(devices, now, batch)
        self.books.write_at_once(lifted, batch)
        self._note(now, idle=idle)
        return lifted


def is_last_will(signal: Signal) -> bool:
    """Say whether a broker tells that a terminal's connection broke; what it kept of that is old news."""
    return signal.hearsay and signal.event.kind is Kind.PATH_TROUBLE and not signal.repeated


def _rule(settings: SupervisionSettings) -> Collapse:
    return Collapse(settings.incident_devices, settings.incident_window_s, settings.incident_share)


def _bare(account: str, receiver: str, line: str) -> Account:
    """Return what is known of an account before the registry was read."""
    return Account(account=account, receiver=receiver, line=line)
