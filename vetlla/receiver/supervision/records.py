"""The fleet's records in the journal: signs of life and device rows, in small batches, and each ended day.

Signs of life are written without fsync: a crash loses at most half a minute of counts. At a start the receiver reads
the records back and writes the day that the previous run could not finish.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from vetlla.domain.clock import SECOND_US
from vetlla.domain.supervision import STRETCH, KeptDevice, LedgerDay, Stretch
from vetlla.receiver.supervision.day_counters import DayCounters, rebuilt
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.service.supervision.days import service_day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.supervision import KeptSupervision
    from vetlla.receiver.supervision.states import DeviceStates
    from vetlla.settings.supervision import SupervisionSettings
    from vetlla.store.journal.batch import Batch
    from vetlla.store.ports import JournalWriter

EVERY_S = 30.0
"""Signs of life stay in memory for this time before they are written."""
ROWS_PER_BATCH = 500
"""Device rows in one transaction, so that an alarm never waits for the rows of a whole fleet."""
STRETCHES_PER_BATCH = 8
"""Stretches (1,024 devices each) of signs of life in one transaction: 128 KiB."""


LEAST_OF_A_MONTH = 28
"""Days of the shortest month: at least this many days are kept for each month, whatever date the clock shows."""


class SupervisionRecords:
    """Writes the fleet's records. Lives in the event loop; ``unfinished`` alone runs before the loop takes reports."""

    def __init__(
        self,
        settings: SupervisionSettings,
        states: DeviceStates,
        clock: Clock,
        *,
        every_s: float = EVERY_S,
        rows: int = ROWS_PER_BATCH,
        stretches: int = STRETCHES_PER_BATCH,
    ) -> None:
        self._clock = clock
        self._every_s = every_s
        self._rows_per_batch = rows
        self._stretches_per_batch = stretches
        self._states = states
        self._fleet = states.fleet
        self.day_counters = DayCounters(states.fleet, states.silence, ZoneInfo(settings.timezone), clock.now())
        self.apply(settings)
        self._changed_devices: deque[int] = deque()
        """Devices whose rows go with the next batches."""
        self._changed_blocks: deque[int] = deque()
        """Stretches whose signs of life go with the next batches."""
        self._since_us = 0
        self._flushes_soon = False
        self._stretches: Iterator[tuple[str, Stretch]] | None = None
        self._days: list[LedgerDay] = []
        self._forget: list[tuple[str, int]] = []

    def apply(self, settings: SupervisionSettings) -> None:
        """Apply settings; another time zone takes effect from the next day."""
        self._tolerance_s = settings.tolerance_s
        self._months = settings.ledger_months
        self.day_counters.zone = ZoneInfo(settings.timezone)

    # --- the day that the previous run did not finish ---------------------------------------------------------------

    def resume(self, journal: JournalWriter, kept: KeptSupervision, now: Instant) -> None:
        """Count the time without a receiver as time in which no device was supervised. Blocks; reads the journal."""
        today = self.day_counters.today
        if kept.alive_us is None:
            return
        name, known_s = self.day_counters.name, kept.down_s.get(self.day_counters.name, 0)
        if journal.stretches_of(name):
            self.day_counters.closed[name] = known_s
        away_s = max(0, now.utc_us - max(kept.alive_us, today.began_us)) // SECOND_US
        self.day_counters.go_on(known_s + away_s, now)
        self._days.append(LedgerDay(name, self.day_counters.closed.get(name, known_s + away_s), self._tolerance_s))

    def unfinished(self, journal: JournalWriter, kept: KeptSupervision) -> None:
        """Gather the last day of the previous run if the ledger lacks a part of it. Blocks; reads the journal."""
        if kept.alive_us is None:
            return
        ended = service_day_of(kept.alive_us, self.day_counters.zone)
        day = ended.day.isoformat()
        if ended.day == self.day_counters.today.day:
            return
        written = journal.stretches_of(day)
        down_s = kept.down_s.get(day, 0) + (ended.ends_us - kept.alive_us) // SECOND_US
        stretches: dict[int, Stretch] = {}
        for unit in journal.units():
            number = unit.id // STRETCH
            if number not in written:
                stretches.setdefault(number, Stretch(number)).put(rebuilt(unit, ended, down_s))
        if stretches:
            self._days.append(LedgerDay(day, down_s, self._tolerance_s))
            self._stretches = ((day, stretch) for stretch in stretches.values())

    # --- what is written --------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether there are rows that should be written now."""
        taken = self._changed_devices or self._changed_blocks or self._days or self._stretches
        return bool(taken or (self._flushes_soon and self._states.changed_blocks))

    def begin(self, now: Instant) -> None:
        """Start the time until the next write; called when there is something to write again."""
        self._since_us = now.mono_us

    def due_in_s(self, now: Instant) -> float | None:
        """Return the time until the next rows should be written, or None if there are no rows."""
        if not self._states.changed_blocks:
            return None
        return max(0.0, self._every_s - (now.mono_us - self._since_us) / SECOND_US)

    def flush_soon(self) -> None:
        """Write everything without delay from now on."""
        self._flushes_soon = True

    def plan(self, batch: Batch, now: Instant) -> None:
        """Add what is due to a batch: some device rows, and either signs of life or one stretch of an ended day."""
        self.end_day(now)
        if not self._changed_devices and not self._changed_blocks and (self._flushes_soon or self.due_in_s(now) == 0):
            self._changed_devices, self._states.changed_devices = deque(self._states.changed_devices), []
            self._changed_blocks, self._states.changed_blocks = deque(sorted(self._states.changed_blocks)), set()
            self._since_us = now.mono_us
        rows = batch.supervision
        for _ in range(min(len(self._changed_devices), self._rows_per_batch)):
            rows.units.append(self._row(self._changed_devices.popleft()))
        rows.days += self._days
        rows.forget_before += self._forget
        self._days, self._forget = [], []
        if not self._write_ended_day(batch):
            for _ in range(min(len(self._changed_blocks), self._stretches_per_batch)):
                self._add_signs(self._changed_blocks.popleft(), batch)

    def _write_ended_day(self, batch: Batch) -> bool:
        """Write one stretch of the ended day. Return True if there was one.

        New signs of life wait for the last stretch, because the old ones prove the day until the ledger has it.
        """
        stretch = next(self._stretches, None) if self._stretches is not None else None
        if stretch is None:
            self._stretches = None
            return False
        batch.supervision.add_stretch(*stretch)
        return True

    def write_at_once(self, devices: Iterable[int], batch: Batch) -> None:
        """Add devices and their terminals to a batch that refers to them; it must not be durable before their rows."""
        for device in devices:
            parent = self._fleet.parents[device]
            batch.supervision.units.extend(self._row(one) for one in (parent, device) if one != NO_PARENT)

    def end_day(self, now: Instant) -> bool:
        """Close the day if it is over and the day before it is written. Return True if the day was closed."""
        if self._stretches is not None or not self.day_counters.is_over(now):
            return False
        day = self.day_counters.close(now)
        name, today = day.whole.day.isoformat(), self.day_counters.name
        self._days.append(LedgerDay(name, day.down_s, self._tolerance_s))
        self._days.append(LedgerDay(today, self.day_counters.closed.get(today, 0), self._tolerance_s))
        if today < name:
            self._states.mark_all()  # or a reader would take the rows of a later day for newer ones
        self._stretches = ((name, stretch) for stretch in day.stretches())
        self._forget = [(self._first_kept(), self._months * LEAST_OF_A_MONTH)]
        return True

    def _first_kept(self) -> str:
        today = self.day_counters.today.day
        months = today.year * 12 + today.month - 1 - self._months
        return today.replace(year=months // 12, month=months % 12 + 1, day=1).isoformat()

    def _add_signs(self, stretch: int, batch: Batch) -> None:
        """Add the current signs of life of a stretch's devices."""
        fleet, devices = self._fleet, slice(stretch * STRETCH, (stretch + 1) * STRETCH)
        batch.supervision.add_signs(
            stretch,
            self.day_counters.name,
            fleet.heard_us[devices],
            fleet.received[devices],
            fleet.longest_s[devices],
        )

    def _row(self, device: int) -> KeptDevice:
        """Return a device's current row."""
        fleet, day_counters = self._fleet, self.day_counters
        fleet.changed_devices[device] = 0
        account, now = fleet.accounts[device], self._clock.now()
        return KeptDevice(
            id=device,
            account=account.account,
            receiver=account.receiver,
            line=account.line,
            device=fleet.devices[device],
            state=fleet.state[device],
            since_us=fleet.since_us[device],
            heard_us=fleet.heard_us[device],
            pause=fleet.pause[device],
            interval_s=fleet.interval_s[device],
            allowed_misses=fleet.allowed[device],
            day=day_counters.name,
            received=fleet.received[device],
            longest_s=fleet.longest_s[device],
            unsupervised_s=day_counters.unsupervised_s.get(device, 0),
            reasons=day_counters.reasons.get(device, 0),
            silent_since_us=self._states.silence.since_utc_us(device, now),
        )
