"""What the journal keeps of the fleet: who was heard, written now and then in bounded batches, and each ended day.

Nobody waits for it to be durable: what a crash takes is the counting of half a minute. A start reads it back, and
writes the day that an earlier life could not finish.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from vetlla.domain.clock import SECOND_US
from vetlla.receiver.supervision.daybook import Daybook, rebuilt, span_of
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.store.journal.ledger import STRETCH, Stretch
from vetlla.store.journal.signs import SignsRow, pack
from vetlla.store.journal.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.supervision.uptime import Uptime
    from vetlla.receiver.supervision.watch import Watch
    from vetlla.settings.model import SupervisionSettings
    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.journal import Journal
    from vetlla.store.journal.units import Kept, SupervisionRows

EVERY_S = 30.0
"""Signs of life stay in memory this long before they are written."""
ROWS_PER_BATCH = 500
"""Devices' rows in one transaction, so that an alarm never waits for a fleet's."""
STRETCHES_PER_BATCH = 8
"""The same for signs of life: 128 KiB."""


LEAST_OF_A_MONTH = 28
"""Days of a month that are kept at least, whatever date a clock shows."""


class Bookkeeping:
    """Lives in the event loop, but for ``unfinished``, which reads before the loop serves anybody."""

    def __init__(self, settings: SupervisionSettings, watch: Watch, clock: Clock) -> None:
        self._clock = clock
        self._watch = watch
        self._fleet = watch.fleet
        self.uptime: Uptime
        """Of the lives before this one."""
        self.daybook = Daybook(watch.fleet, ZoneInfo(settings.timezone), clock.now())
        self.apply(settings)
        self._leaving: deque[int] = deque()
        """Devices whose rows are on their way."""
        self._stirred: deque[int] = deque()
        """Stretches whose signs of life are."""
        self._since_us = 0
        self._flushes_soon = False
        self._stretches: Iterator[tuple[str, int, bytes]] | None = None
        self._days: list[tuple[str, int, float]] = []
        self._forget: list[tuple[str, int]] = []

    def apply(self, settings: SupervisionSettings) -> None:
        """Go on with other settings; another time zone counts from the next day on."""
        self._tolerance_s = settings.tolerance_s
        self._months = settings.ledger_months
        self.daybook.zone = ZoneInfo(settings.timezone)

    # --- the day that an earlier life did not finish ----------------------------------------------------------------

    def resume(self, journal: Journal, kept: Kept, now: Instant) -> None:
        """Count the time without a receiver as what it was: no device was supervised. Blocks; reads the journal."""
        today = self.daybook.today
        if kept.alive_us is None:
            return
        name, known_s = self.daybook.name, kept.down_s.get(self.daybook.name, 0)
        if journal.stretches_of(name):
            self.daybook.closed[name] = known_s
        away_s = max(0, now.utc_us - max(kept.alive_us, today.began_us)) // SECOND_US
        self.daybook.go_on(known_s + away_s, now)
        self._days.append((name, self.daybook.closed.get(name, known_s + away_s), self._tolerance_s))

    def unfinished(self, journal: Journal, kept: Kept) -> None:
        """Gather the last day of an earlier life if the ledger lacks any of it. Blocks; reads the journal."""
        if kept.alive_us is None:
            return
        ended = span_of(kept.alive_us, self.daybook.zone)
        day = ended.day.isoformat()
        if ended.day == self.daybook.today.day:
            return
        written = journal.stretches_of(day)
        down_s = kept.down_s.get(day, 0) + (ended.ends_us - kept.alive_us) // SECOND_US
        stretches: dict[int, Stretch] = {}
        for unit in journal.units():
            number = unit.id // STRETCH
            if number not in written:
                stretches.setdefault(number, Stretch(number)).put(rebuilt(unit, ended, down_s))
        if stretches:
            self._days.append((day, down_s, self._tolerance_s))
            self._stretches = ((day, number, stretch.pack()) for number, stretch in stretches.items())

    # --- what is written --------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether there are rows that should be written now."""
        leaving = self._leaving or self._stirred or self._days or self._stretches
        return bool(leaving or (self._flushes_soon and self._watch.stirred))

    def begin(self, now: Instant) -> None:
        """Hear that something is to be written after nothing was."""
        self._since_us = now.mono_us

    def due_in_s(self, now: Instant) -> float | None:
        """Return the time until something should be written; None: there is nothing."""
        if not self._watch.stirred:
            return None
        return max(0.0, EVERY_S - (now.mono_us - self._since_us) / SECOND_US)

    def flush_soon(self) -> None:
        """Let all of it leave from now on without delay."""
        self._flushes_soon = True

    def plan(self, batch: Batch, now: Instant) -> None:
        """Put what is due into a batch: so many devices, and either signs of life or one stretch of an ended day."""
        self.end_day(now)
        if not self._leaving and not self._stirred and (self._flushes_soon or self.due_in_s(now) == 0):
            self._leaving, self._watch.dirty = deque(self._watch.dirty), []
            self._stirred, self._watch.stirred = deque(sorted(self._watch.stirred)), set()
            self._since_us = now.mono_us
        rows = batch.supervision
        for _ in range(min(len(self._leaving), ROWS_PER_BATCH)):
            rows.units.append(self._row(self._leaving.popleft()))
        rows.days += self._days
        rows.forget_before += self._forget
        self._days, self._forget = [], []
        if not self._write_ended_day(rows):
            for _ in range(min(len(self._stirred), STRETCHES_PER_BATCH)):
                rows.signs.append(self._signs(self._stirred.popleft()))

    def _write_ended_day(self, rows: SupervisionRows) -> bool:
        """Write one stretch of the ended day; say whether there was one.

        New signs of life wait for the last: until the ledger has the day, the signs that were written on it prove it.
        """
        stretch = next(self._stretches, None) if self._stretches is not None else None
        if stretch is None:
            self._stretches = None
            return False
        rows.stretches.append(stretch)
        return True

    def write_at_once(self, devices: Iterable[int], batch: Batch) -> None:
        """Put devices into a batch that speaks of them, and their terminals: it must not be durable before they are."""
        for device in devices:
            parent = self._fleet.parents[device]
            batch.supervision.units.extend(self._row(one) for one in (parent, device) if one != NO_PARENT)

    def end_day(self, now: Instant) -> bool:
        """Close the day if it is over and the one before it is written; say whether it was closed."""
        hearing_us = self._watch.hearing_us(now)
        if self._stretches is not None or not self.daybook.is_over(hearing_us, now):
            return False
        day = self.daybook.close(hearing_us, now)
        name, today = day.span.day.isoformat(), self.daybook.name
        self._days.append((name, day.down_s, self._tolerance_s))
        self._days.append((today, self.daybook.closed.get(today, 0), self._tolerance_s))
        if today < name:
            self._watch.mark_all()  # rows of a later day would be taken for the newer ones
        self._stretches = ((name, number, columns) for number, columns in day.stretches())
        self._forget = [(self._first_kept(), self._months * LEAST_OF_A_MONTH)]
        return True

    def _first_kept(self) -> str:
        today = self.daybook.today.day
        months = today.year * 12 + today.month - 1 - self._months
        return today.replace(year=months // 12, month=months % 12 + 1, day=1).isoformat()

    def _silent_since_us(self, device: int, now: Instant) -> int:
        before_us = self._watch.silent_before_us(device)
        return self.uptime.back(before_us) if before_us else now.utc_us - self._watch.silence_us(device, now)

    def _signs(self, stretch: int) -> SignsRow:
        """Return the signs of life of a stretch's devices as they stand."""
        fleet, devices = self._fleet, slice(stretch * STRETCH, (stretch + 1) * STRETCH)
        columns = pack(fleet.heard_us[devices], fleet.received[devices], fleet.longest_s[devices])
        return SignsRow(stretch, self.daybook.name, columns)

    def _row(self, device: int) -> Unit:
        """Return a device's row as it stands."""
        fleet, daybook = self._fleet, self.daybook
        fleet.dirty[device] = 0
        account, now = fleet.accounts[device], self._clock.now()
        return Unit(
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
            day=daybook.name,
            received=fleet.received[device],
            longest_s=fleet.longest_s[device],
            unsupervised_s=daybook.unsupervised_s.get(device, 0),
            reasons=daybook.reasons.get(device, 0),
            silent_since_us=self._silent_since_us(device, now),
        )
