"""One thread writes the log, so that the receiver never waits for the program that reads it.

If the reader of a pipe has stopped (a stalled journal, a pager), the writer blocks; that must not stop an alarm
receiver. Lines wait in memory up to a bound. Beyond it they are dropped and counted, and the next line that finds room
says how many are missing.
"""

from __future__ import annotations

import atexit
import contextlib
import os
from queue import Empty, SimpleQueue
from threading import Thread

CAPACITY = 10_000
"""Lines that may wait: about 3 MB, some minutes of a busy receiver."""

_BATCH = 256
"""Lines per system call."""

CLOSE_S = 2.0
"""Longest time for which the end waits for the reader; if the reader keeps up, a millisecond is enough."""


class LogWriter:
    """Takes finished lines from any thread, as a structlog logger; writes them to a file descriptor in order."""

    def __init__(self, fd: int, *, capacity: int = CAPACITY) -> None:
        self._fd = fd
        self._capacity = capacity
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._dropped = 0
        # A daemon thread, because a reader that never reads must not prevent the process from ending. It writes to the
        # descriptor, because a thread that dies with the lock of sys.stderr's buffer aborts the interpreter.
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def msg(self, line: str) -> None:
        """Take one line, without its newline."""
        if self._lines.qsize() < self._capacity:
            self._lines.put(line)
        else:
            self._dropped += 1

    debug = info = warning = error = critical = exception = log = msg  # structlog calls the level's name

    def missing(self) -> int:
        """Return how many lines were dropped since the last call; 0 while there is no room for a line that says so."""
        if not self._dropped or self._lines.qsize() >= self._capacity:
            return 0
        missing, self._dropped = self._dropped, 0
        return missing

    def close(self, timeout_s: float = CLOSE_S) -> None:
        """Write the waiting lines and stop; give up after ``timeout_s`` seconds if the reader does not read."""
        atexit.unregister(self.close)
        self._lines.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        more = True
        while more:
            batch = [self._lines.get()]
            with contextlib.suppress(Empty):
                while len(batch) < _BATCH:
                    batch.append(self._lines.get_nowait())
            more = None not in batch
            # The receiver must continue even if the log cannot be written (closed pipe, full disk).
            with contextlib.suppress(OSError):
                self._write("".join(f"{line}\n" for line in batch if line is not None).encode())

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]
