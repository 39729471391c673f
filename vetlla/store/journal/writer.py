"""The writer: one thread that owns the journal's writing connection and does one job at a time.

The event loop hands over a batch and is called back when the batch is durable, or is not. Nothing else of the daemon
ever waits for the disk.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from vetlla.domain.errors import StoreError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from vetlla.domain.clock import Clock, Instant
    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.journal import Journal

Done: TypeAlias = "Callable[[Instant, StoreError | None], None]"
"""Called in the loop: when the job ended, and why it failed (None: it is durable)."""
_Job: TypeAlias = "tuple[Callable[[], None], Done] | None"


class Writer:
    """Runs the journal's jobs in order, each reported to the loop that asked for it."""

    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._journal = journal
        self._loop = loop
        self._clock = clock
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def write(self, batch: Batch, done: Done) -> None:
        """Commit a batch; a checkpoint, if one is due, comes after the answer."""
        self._jobs.put((lambda: self._journal.write(batch), done))

    def checkpoint(self, done: Done) -> None:
        """Checkpoint if due."""
        self._jobs.put((self._journal.checkpoint, done))

    def resume(self, done: Done) -> None:
        """Go on after a failure, if the disk lets us."""
        self._jobs.put((self._journal.resume, done))

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Do a piece of work with the journal on the thread that owns it."""
        self._jobs.put((work, done))

    def close(self) -> None:
        """Finish what was asked, then close the journal. Blocks; call it after the last batch was reported."""
        self._jobs.put(None)
        self._thread.join()
        self._journal.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            failure: StoreError | None = None
            try:
                work()
            except StoreError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - a bug here must stop acknowledgements, not the thread
                failure = StoreError(f"the writer failed unexpectedly: {error!r}")
                failure.__cause__ = error
            self._loop.call_soon_threadsafe(done, self._clock.now(), failure)
