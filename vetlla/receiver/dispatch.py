"""Beyond the border of commit: tells watchers what became durable.

A watcher that does not keep up loses the oldest events and is told how many: it can read the journal for the rest, and
nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from vetlla.domain.clock import Instant

WATCHER_BACKLOG = 10_000
"""Events kept for one watcher that reads slowly: a busy minute's worth."""


RECEIVER = "receiver"
"""The actor of what no operator did, as the audit names it."""


def make_event(
    event: str,
    at: Instant,
    action: str,
    actor: str = RECEIVER,
    detail: Mapping[str, object] | None = None,
    **about: object,
) -> dict[str, Any]:
    """Return an event: what happened, when, who did it, how the audit calls it, and what it is about."""
    return {
        "event": event,
        "at": iso(at.utc_us),
        "actor": actor,
        "action": action,
        "detail": dict(detail or {}),
        **about,
    }


class Dispatch:
    """Hands each event to every watcher that is there."""

    def __init__(self) -> None:
        self._watchers: set[_Watcher] = set()

    def __bool__(self) -> bool:
        """Whether anybody watches; events need not be made otherwise."""
        return bool(self._watchers)

    def publish(self, event: dict[str, Any]) -> None:
        """Give an event to every watcher, without waiting."""
        for watcher in self._watchers:
            watcher.put(event)

    async def watch(
        self, standing: AsyncGenerator[dict[str, Any], None] | None = None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what stands, then every event from now on, until the caller stops: none is missed in between."""
        watcher = _Watcher()
        self._watchers.add(watcher)
        try:
            if standing is not None:
                async with aclosing(standing):
                    async for event in standing:
                        yield event
            while True:
                yield await watcher.get()
        finally:
            self._watchers.discard(watcher)


class _Watcher:
    def __init__(self) -> None:
        self._events: deque[dict[str, Any]] = deque()
        self._missed = 0
        self._filled = asyncio.Event()

    def put(self, event: dict[str, Any]) -> None:
        if len(self._events) >= WATCHER_BACKLOG:
            self._events.popleft()
            self._missed += 1
        self._events.append(event)
        self._filled.set()

    async def get(self) -> dict[str, Any]:
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return {"event": "missed", "count": missed}
        event = self._events.popleft()
        if not self._events:
            self._filled.clear()
        return event
