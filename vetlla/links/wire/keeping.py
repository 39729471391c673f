"""Keeps a wire open: opens it, waits for its end, and opens it again after a pause that grows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import uniform
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.links.wire.contract import Opener, Wire, WireUser

FIRST_RETRY_S: Final = 0.1
"""Pause after the end of a wire; it doubles with each failed attempt. A device that was just closed is busy meanwhile,
and an adapter that was plugged in needs this time until it has its name."""
RETRY_MAX_S: Final = 5.0
"""Longest pause between two attempts. A receiver waits 16 s and longer before it declares its computer absent."""


class KeptOpen:
    """A wire that is opened again until it is stopped. It passes on what its user needs to know."""

    def __init__(
        self,
        open_wire: Opener,
        user: WireUser,
        failed: Callable[[LinkError], None],
        *,
        first_retry_s: float = FIRST_RETRY_S,
        retry_max_s: float = RETRY_MAX_S,
    ) -> None:
        """Take the user, and a function that is called after each attempt that failed."""
        self._open_wire = open_wire
        self._user = user
        self._failed = failed
        self._first_retry_s = first_retry_s
        self._retry_max_s = retry_max_s
        self._closed = asyncio.Event()
        self.wire: Wire | None = None
        """The wire while it is open."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open the wire in a task of its own, so that its owner does not wait for it."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Close the wire, and do not open it again."""
        if self.wire is not None:
            self.wire.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = self._first_retry_s
        while True:
            self._closed.clear()
            try:
                await self._open_wire(self)
                began_s = loop.time()
                await self._closed.wait()
                if loop.time() - began_s >= self._retry_max_s:
                    pause_s = self._first_retry_s  # it was of use; a peer that hangs up at once is dialled less often
            except LinkError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001 - a fault of its user must not leave the wire closed for ever
                self._failed(LinkError(f"the receiver failed to use the wire: {error!r}", remedy="report it"))
            await asyncio.sleep(uniform(pause_s / 2, pause_s))  # noqa: S311 - a pause, not a secret
            pause_s = min(2 * pause_s, self._retry_max_s)

    # --- what the wire tells ----------------------------------------------------------------------------------------

    def opened(self, wire: Wire) -> None:
        """Pass on that the wire is open."""
        self.wire = wire
        self._user.opened(wire)

    def received(self, data: bytes) -> None:
        """Pass on bytes."""
        self._user.received(data)

    def closed(self, why: str) -> None:
        """Pass on that the wire was closed, and open it again."""
        self.wire = None
        self._closed.set()
        self._user.closed(why)
