"""Which files of a spool are there, when each was first seen, and which are written to their end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.receiver.listeners.spool import files
from vetlla.receiver.listeners.spool.begun import Sighting

if TYPE_CHECKING:
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.listeners.spool.files import Content, Found
    from vetlla.receiver.listeners.spool.watch import Watch
    from vetlla.settings.spool import Spool

UNFINISHED_S: Final = 30.0
"""Time without a change after which a file that is not whole counts as cut off: its writer has ended or has no disk."""


class Seen(NamedTuple):
    """A file that is there."""

    found: Found
    sighting: Sighting
    still: Instant
    """When it was first seen as it is now."""


class Sightings:
    """The files that wait in one directory.

    Asterisk creates a file under its final name and fills it. If the kernel has reported that it was closed, and it is
    whole, it is written. A file of which nothing was reported is written when it has not changed for a while.
    """

    def __init__(self, spool: Spool, clock: Clock, *, unfinished_s: float, look_max: int) -> None:
        self._directory = spool.directory
        self._rescan_us = round(spool.rescan_s * SECOND_US)
        self._settle_s = spool.settle_s
        self._settle_us = round(spool.settle_s * SECOND_US)
        self._unfinished_s = unfinished_s
        self._look_max = look_max
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._closed: set[str] = set()
        """Files that the kernel has reported as closed."""
        self._looked: Instant | None = None
        """When the whole directory was read last."""
        self._is_cut = False
        """True if there were more files than one look returns."""

    @property
    def has_unsettled(self) -> bool:
        """True if a file that is there may be written to its end although the kernel reported nothing."""
        return any(self._still_s(seen) <= self._unfinished_s for seen in self._seen.values())

    @property
    def has_more(self) -> bool:
        """True if all files that are known were taken, and others are there."""
        return self._is_cut and not self._seen

    async def update(self, watch: Watch) -> int | None:
        """Learn which files are there: all of them if that is due, else those that the kernel has named.

        Return the number of all files in the directory if all were looked at. Raises OSError.
        """
        closed, watch.closed = watch.closed, {}
        created, watch.created = watch.created, set()
        has_missed, watch.has_missed = watch.has_missed, False
        self._closed.update(closed)
        now, since, count = self._clock.now(), self._looked, None
        if has_missed or self.has_more or since is None or now.mono_us - since.mono_us >= self._pause_us():
            found, count = await asyncio.to_thread(files.look, self._directory, at_most=self._look_max)
            self._looked, self._is_cut = now, count > len(found)
            names = {one.name for one in found}
            self._seen = {name: seen for name, seen in self._seen.items() if name in names}
            self._closed &= names
        else:
            found = await asyncio.to_thread(files.look_at, self._directory, closed.keys() | created)
        for one in found:
            self._see(one, closed.get(one.name), now, since)
        return count

    def _see(self, one: Found, closed: Instant | None, now: Instant, since: Instant | None) -> None:
        before = self._seen.get(one.name)
        if before is None or before.found.inode != one.inode:
            self._seen[one.name] = Seen(one, Sighting(closed or now, since), now)
        elif before.found != one or closed is not None:
            # Its last byte came when it was closed, and the time of a file is that of its last byte.
            sighting = Sighting(closed or before.sighting.at, before.sighting.since)
            self._seen[one.name] = Seen(one, sighting, before.still if before.found == one else now)

    def due(self) -> list[Seen]:
        """Return the files that may be written to their end, in the order in which they were written."""
        return sorted(
            seen for name, seen in self._seen.items() if name in self._closed or self._still_s(seen) >= self._settle_s
        )

    def is_written(self, seen: Seen, content: Content) -> bool:
        """Return True if a file is whole, or if its writer has had time enough to make it so."""
        is_closed, still_s = seen.found.name in self._closed, self._still_s(seen)
        if is_closed:
            return content.is_complete or still_s >= self._settle_s
        is_whole = content.is_complete and not content.may_grow
        return still_s >= (self._settle_s if is_whole else self._unfinished_s)

    def forget(self, found: Found) -> None:
        """Take note that a file is gone, or has become another one."""
        self._closed.discard(found.name)
        self._seen.pop(found.name, None)

    def _pause_us(self) -> int:
        """Return how long the last look at the whole directory is enough."""
        return min(self._settle_us, self._rescan_us) if self.has_unsettled else self._rescan_us

    def _still_s(self, seen: Seen) -> float:
        return (self._clock.now().mono_us - seen.still.mono_us) / SECOND_US
