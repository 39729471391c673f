"""The writer: one thread that owns the journal's writing connection and does one job at a time.

The event loop hands over a batch, and the writer calls it back when the batch is durable or has failed. No other part
of the daemon waits for the disk.
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
    from vetlla.store.ports import JournalWriter

Done: TypeAlias = "Callable[[Instant, StoreError | None], None]"
"""Called in the loop with the instant at which the job ended, and why it failed (None if it is durable)."""
_Job: TypeAlias = "tuple[Callable[[], None], Done] | None"


class Writer:
    """Runs the journal's jobs in order, and reports the end of each one to the event loop."""

    def __init__(self, journal: JournalWriter, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._journal = journal
        self._loop = loop
        self._clock = clock
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def write(self, batch: Batch, done: Done) -> None:
        """Commit a batch. The caller requests a checkpoint afterwards, so no acknowledgement waits for it."""
        self._jobs.put((lambda: self._journal.write(batch), done))

    def checkpoint(self, done: Done) -> None:
        """Checkpoint if one is due."""
        self._jobs.put((self._journal.checkpoint, done))

    def resume(self, done: Done) -> None:
        """Go on after a failure, if the disk works again."""
        self._jobs.put((self._journal.resume, done))

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Call ``work`` on the thread that owns the journal."""
        self._jobs.put((work, done))

    def close(self) -> None:
        """Finish the jobs in the queue, then close the journal. Blocks; call it after the last batch was reported."""
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
            except Exception as error:  # noqa: BLE001 - a bug in a job must stop acknowledgements, not the thread
                failure = StoreError(f"the writer failed unexpectedly: {error!r}")
                failure.__cause__ = error
            self._loop.call_soon_threadsafe(done, self._clock.now(), failure)
