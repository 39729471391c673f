"""A job of the writer for which no report should wait, such as a step of a removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from vetlla.domain.errors import StoreError

SPARE_WITHIN_S = 1.0
"""How long a removal waits for a moment without reports. Under load it then does one step between two batches."""


class Spare(NamedTuple):
    """A job of the writer for which no report should wait; ``done(failure)`` is called when it has ended."""

    work: Callable[[], None]
    done: Callable[[StoreError | None], None]


class SpareTime:
    """The one job that waits for a moment without reports."""

    def __init__(self, loop: asyncio.AbstractEventLoop, do: Callable[[], None]) -> None:
        """Take the function that does the job if that is possible now."""
        self._loop = loop
        self._do = do
        self._timer: asyncio.TimerHandle | None = None
        self.job: Spare | None = None
        self.is_overdue = False
        """True if a job has waited long enough, so that the next reports wait for it."""

    def put(self, job: Spare) -> None:
        """Let a job wait. It is done now if that is possible, or after ``SPARE_WITHIN_S`` even under load."""
        self.job = job
        self._timer = self._loop.call_later(SPARE_WITHIN_S, self._hasten)
        self._do()

    def drop(self) -> None:
        """Forget the job, because it begins now or the receiver stops."""
        self.job, self.is_overdue = None, False
        if self._timer is not None:
            self._timer.cancel()

    def _hasten(self) -> None:
        self.is_overdue = self.job is not None
        self._do()
