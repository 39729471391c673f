"""The positions of all sinks, as a participant of the group commit: it writes them, and says what can be sent.

A position that moved is written with a batch that comes anyway, or within ``WRITE_WITHIN_S``, and needs no fsync: a
position that is lost makes a sink send some signals again. A pause and its like are written at once with their audit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import SECOND_US
from vetlla.domain.onward import KeptSink
from vetlla.receiver.commit.participant import Participant
from vetlla.receiver.sinks.bounds import SinkBounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.previous_run import Recovered
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.store.journal.batch import Batch


class Positions(Participant):
    """How far each configured sink has come. Runs in the event loop."""

    def __init__(
        self,
        names: Iterable[str],
        recovered: Recovered,
        commit: GroupCommit,
        clock: Clock,
        bounds: SinkBounds = SinkBounds(),
    ) -> None:
        self.durable = recovered.next_signal - 1
        """Number of the last signal that is durable."""
        self.on_stored: Callable[[int, Instant], object] = lambda _count, _now: None
        """Called with the number of signals of each batch that was committed."""
        kept = {one.name: one for one in recovered.sinks}
        configured = list(names)
        self.others = tuple(one for one in recovered.sinks if one.name not in configured)
        """Rows of sinks that are not configured now."""
        self.began = tuple(name for name in configured if name not in kept)
        """Sinks that were configured for the first time. They begin with the next signal."""
        self._kept = {name: kept.get(name) or KeptSink(name, self.durable, 0) for name in configured}
        self._commit = commit
        self._clock = clock
        self._within_us = round(bounds.write_within_s * SECOND_US)
        self._write_after = bounds.write_after
        # The row of a new sink is in the same transaction as the first signal that it has to send.
        self._unwritten = dict.fromkeys(self.began, bounds.write_after)
        """By name: signals passed since the position was last written."""
        self._since_us = 0
        """Since when (monotonic) the first of them is not written."""
        self._is_hasty = bool(self._unwritten)

    def of(self, name: str) -> KeptSink:
        """Return how far a sink has come."""
        return self._kept[name]

    def move(self, name: str, passed: int, **values: Any) -> None:  # noqa: ANN401 - fields of a row
        """Move a sink on: ``values`` are fields of KeptSink, and ``passed`` is the number of signals it passed."""
        self._kept[name] = self._kept[name]._replace(**values)
        if not self._unwritten:
            self._since_us = self._clock.now().mono_us
        self._unwritten[name] = self._unwritten.get(name, 0) + passed
        if self._unwritten[name] >= self._write_after:
            self._is_hasty = True
            self._commit.wake()
        else:
            self._commit.within(self._within_us / SECOND_US)

    def change(self, name: str, now: Instant, batch: Batch, **values: Any) -> KeptSink:  # noqa: ANN401 - fields of a row
        """Change a sink by order of an engineer, with this batch; return what it is now."""
        changed = self._kept[name] = self._kept[name]._replace(**values)
        self._put(name, now, batch)
        return changed

    # --- the commit -------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """True if a position should be written at once."""
        return self._is_hasty and bool(self._unwritten)

    def plan(self, batch: Batch, now: Instant) -> None:
        """Write the positions that moved, if it is time."""
        if not self._unwritten:
            return
        left_us = self._since_us + self._within_us - now.mono_us
        if left_us > 0 and not self._is_hasty:
            self._commit.within(left_us / SECOND_US)
            return
        for name in list(self._unwritten):
            self._put(name, now, batch)
        self._is_hasty = False

    def _put(self, name: str, now: Instant, batch: Batch) -> None:
        # If the batch fails, the next one takes these rows over: they are about signals of earlier batches.
        batch.sinks[name] = self._kept[name]._replace(moved_us=now.utc_us)
        self._unwritten.pop(name, None)

    def committed(self, batch: Batch, now: Instant, _next_batch: Batch) -> None:
        """Let the sinks send the signals of the batch: it was committed."""
        if batch.signals:
            self.durable = batch.last_signal
            self.on_stored(len(batch.signals), now)

    def flush_soon(self) -> None:
        """Write every position that moved, because the receiver stops."""
        self._is_hasty = True
