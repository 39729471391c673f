"""The spool of Asterisk's AlarmReceiver(): a directory in which each file is a call or an event of a call.

A file stays where it is until its events are on the disk; only then is it moved or deleted. If the receiver ends in
between, the next run reads the file again and recognises the repetition. inotify tells at once which file is written.
The directory is also read as a whole, because the kernel's queue is limited and a network file system reports nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from vetlla.protocols.asterisk.digits import NAME as PROTOCOL
from vetlla.protocols.asterisk.spool_file import call_of
from vetlla.receiver.counters import SpoolCounts
from vetlla.receiver.listeners.spool import files
from vetlla.receiver.listeners.spool.collector import Collector
from vetlla.receiver.listeners.spool.sightings import UNFINISHED_S, Sightings
from vetlla.receiver.listeners.spool.taking import TRANSPORT
from vetlla.receiver.listeners.spool.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.protocols.decoder import MessageDecoder
    from vetlla.receiver.control.messages.receiver import ListeningAddress
    from vetlla.receiver.listeners.spool.sightings import Seen
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.spool import Spool

log = structlog.get_logger()

BATCH: Final = 200
"""Files that are read and committed together. They fit into one transaction, and a stop waits for these alone."""
RETRY_S: Final = 0.5
"""Pause before files are tried again that could not be committed, and before a lost directory is looked for again."""
GOODBYE_S: Final = 3.0
"""Time for the files under way at a stop; what is not moved then is read again by the next run."""


class SpoolBounds(NamedTuple):
    """Bounds that tests make smaller."""

    retry_s: float = RETRY_S
    unfinished_s: float = UNFINISHED_S
    batch: int = BATCH
    look_max: int = files.LOOK_MAX


class SpoolListener:
    """Takes the files of one directory, until it is stopped."""

    transport = TRANSPORT

    def __init__(
        self,
        spool: Spool,
        services: SessionServices,
        decoder: MessageDecoder,
        ready: Callable[[], bool],
        *,
        bounds: SpoolBounds = SpoolBounds(),
    ) -> None:
        """Take the directory, what decodes its files, and a function that returns True if reports can be committed."""
        self.spool = spool
        self._clock = services.clock
        self._ready = ready
        self._bounds = bounds
        self._counts = services.counters.spools.setdefault(spool.name, SpoolCounts())
        self._sightings = Sightings(spool, services.clock, unfinished_s=bounds.unfinished_s, look_max=bounds.look_max)
        self._collector = Collector(spool, services, decoder, self._sightings, self._counts)
        self._is_stopped = False
        self._woken = asyncio.Event()
        """Set when a file may be there, or when the listener is stopped."""
        self._task: asyncio.Task[None] | None = None
        self._is_lost = False
        """True if it was already logged that the directory cannot be used."""

    @property
    def connected(self) -> bool:
        """True if the directory can be used."""
        return self._counts.reachable

    def place(self) -> ListeningAddress:
        """Return what ``vetlla status`` shows of this listener."""
        return {
            "name": self.spool.name,
            "protocol": PROTOCOL,
            "transport": TRANSPORT,
            "host": str(self.spool.directory),
            "port": 0,
            "connected": self.connected,
        }

    async def start(self) -> None:
        """Begin in a task of its own, so that the receiver does not wait for the directory."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"spool {self.spool.name}")

    def stop(self) -> None:
        """Take no further files; those under way are still committed and moved."""
        self._is_stopped = True
        self._woken.set()

    async def close(self) -> None:
        """Move the files under way, and end."""
        self.stop()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=GOODBYE_S)
            if late:
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=GOODBYE_S)

    async def _run(self) -> None:
        while not self._is_stopped:
            try:
                await self._serve()
            except OSError as error:
                self._lost(error)
            except Exception:
                # A fault of the receiver or of a library: other listeners continue, and the directory is read again.
                log.exception("spool.failed", spool=self.spool.name)
            self._counts.reachable = False
            await self._wait(self._bounds.retry_s)

    async def _wait(self, seconds: float) -> None:
        """Wait until something happens, but not longer than this."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        if not self._is_stopped:
            self._woken.clear()

    def _lost(self, error: OSError) -> None:
        if not self._is_lost:
            self._is_lost = True
            why = f"{error.filename or self.spool.directory}: {error.strerror}"
            remedy = "sudo -u vetlla vetlla check-config names what is missing; the receiver looks for it again"
            log.error("spool.lost", spool=self.spool.name, why=why, remedy=remedy)

    async def _serve(self) -> None:
        """Take files until the directory is lost or the listener is stopped. Raises OSError."""
        spool = self.spool
        place = await asyncio.to_thread(files.prepare, spool.directory, keeps=spool.done == "keep")
        with Watch(spool.directory, self._clock, self._woken) as watch:
            self._counts.reachable = True
            self._is_lost = False
            log.info("spool.watching", spool=spool.name, directory=str(spool.directory))
            while not self._is_stopped:
                if watch.is_lost or await asyncio.to_thread(files.identity, spool.directory) != place:
                    raise FileNotFoundError(2, "the directory was removed, moved or unmounted", str(spool.directory))
                there = await self._sightings.update(watch)
                await self._collector.tidy(there)
                is_all_taken = self._ready() and await self._take_due()
                if not is_all_taken:
                    await self._wait(self._bounds.retry_s)
                elif self._sightings.has_unsettled:
                    await self._wait(min(spool.settle_s, spool.rescan_s))
                elif not self._sightings.has_more:
                    await self._wait(spool.rescan_s)

    async def _take_due(self) -> bool:
        """Take all files that are written; return False if some could not be committed."""
        due = self._sightings.due()
        events = [seen for seen in due if call_of(seen.found.name) is None]
        calls = [seen for seen in due if call_of(seen.found.name) is not None]
        # A call's own file comes after its events: while these wait for the disk, nothing says that they have come.
        return await self._take_all(events) and await self._take_all(calls)

    async def _take_all(self, several: Sequence[Seen]) -> bool:
        size = self._bounds.batch
        for first in range(0, len(several), size):
            if self._is_stopped:
                return True
            if not await self._collector.take(several[first : first + size]):
                return False
        return True
