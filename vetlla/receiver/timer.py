"""A timer that is asked for many times, and calls at the earliest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class EarliestTimer:
    """Calls a function at the earliest of the times that were asked for, and then forgets the others."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
        self._loop = loop
        self._call = call
        self._handle: asyncio.Handle | None = None
        self._at = 0.0  # kept because uvloop's handle of a timer that is due at once has no time
        self._stopped = False

    def within(self, seconds: float) -> None:
        """Call after a time, unless an earlier call is due."""
        if self._stopped:
            return
        at = self._loop.time() + seconds
        if self._handle is not None:
            if self._at <= at:
                return
            self._handle.cancel()
        self._handle, self._at = self._loop.call_at(at, self._due), at

    def stop(self) -> None:
        """Cancel the call that is due, and make no other."""
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _due(self) -> None:
        self._handle = None
        self._call()
