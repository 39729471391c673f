"""Tells which files of a directory were written and closed, or moved there: what the kernel reports by inotify."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from asyncinotify import Inotify, Mask

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from vetlla.domain.clock import Clock, Instant

CLOSED_MAX: Final = 20_000
"""Names that wait to be taken. Beyond them only the whole directory is read, as after an overflow in the kernel."""
_EVENTS_READ: Final = 64
"""Events with the longest name that one read can return. Events of usual names are shorter, so it returns more."""
_MASK: Final = Mask.CREATE | Mask.CLOSE_WRITE | Mask.MOVED_TO | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR
_LOST: Final = Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.UNMOUNT | Mask.IGNORED


class Watch:
    """Watches one directory until it is closed. The loop calls it, so that the kernel's queue is read at once."""

    def __init__(self, directory: Path, clock: Clock, woken: asyncio.Event, *, closed_max: int = CLOSED_MAX) -> None:
        """Begin; set ``woken`` when something happens. Raises OSError if the directory cannot be watched."""
        self.is_lost = False
        """True if the directory is gone, was moved, or its file system was unmounted."""
        self.has_missed = True
        """True if some names are not known, as those from before the watch: then the whole directory has to be read."""
        self.created: set[str] = set()
        """Files that were created."""
        self.closed: dict[str, Instant] = {}
        """Files that are written, and when that was reported."""
        self._clock = clock
        self._woken = woken
        self._closed_max = closed_max
        self._loop = asyncio.get_running_loop()
        self._inotify = Inotify(cache_size=_EVENTS_READ, sync_timeout=0)
        try:
            self._inotify.add_watch(directory, _MASK)
            self._loop.add_reader(self._inotify.fd, self._read)
        except BaseException:
            self._inotify.close()
            raise

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the watch."""
        self._loop.remove_reader(self._inotify.fd)
        self._inotify.close()

    def _read(self) -> None:
        now = self._clock.now()
        try:
            while (event := self._inotify.sync_get()) is not None:
                self._take(event.mask, None if event.name is None else str(event.name), now)
        except OSError:
            self.is_lost = True
            self._loop.remove_reader(self._inotify.fd)
        self._woken.set()

    def _take(self, mask: Mask, name: str | None, now: Instant) -> None:
        if mask & _LOST:
            self.is_lost = True
        elif mask & Mask.Q_OVERFLOW or len(self.closed) + len(self.created) >= self._closed_max:
            self.has_missed = True
            self.closed.clear()
            self.created.clear()
        elif name is not None and not mask & Mask.ISDIR:
            if mask & Mask.CREATE:
                self.created.add(name)
            else:
                self.closed[name] = now
