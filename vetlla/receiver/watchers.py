"""Sends watchers the events that became durable.

A watcher that does not keep up loses the oldest events and receives their number. It can read them in the journal, and
no other watcher waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING

from vetlla.domain.alarms import RECEIVER
from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from vetlla.domain.clock import Instant
    from vetlla.receiver.control.messages.watch import Happening, WatchEvent

WATCHER_BACKLOG = 10_000
"""Events kept for one watcher that reads slowly: those of a busy minute."""


def happening(
    event: str, at: Instant, action: str, actor: str = RECEIVER, detail: Mapping[str, object] | None = None
) -> Happening:
    """Return the fields of every event: what happened, when, the actor, and the audit's word for the action."""
    return {"event": event, "at": iso(at.utc_us), "actor": actor, "action": action, "detail": dict(detail or {})}


class Watchers:
    """Gives each event to every watcher."""

    def __init__(self, *, backlog: int = WATCHER_BACKLOG) -> None:
        self._backlog = backlog
        self._watchers: set[_Watcher] = set()

    def __bool__(self) -> bool:
        """Return True if there is a watcher; otherwise callers need not make events."""
        return bool(self._watchers)

    def publish(self, event: WatchEvent) -> None:
        """Give an event to every watcher, without waiting."""
        for watcher in self._watchers:
            watcher.put(event)

    async def watch(self, standing: AsyncGenerator[WatchEvent, None] | None = None) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of ``standing``, then every event from now on, without a gap, until the caller stops."""
        watcher = _Watcher(self._backlog)
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
    def __init__(self, backlog: int) -> None:
        self._backlog = backlog
        self._events: deque[WatchEvent] = deque()
        self._missed = 0
        self._filled = asyncio.Event()

    def put(self, event: WatchEvent) -> None:
        if len(self._events) >= self._backlog:
            self._events.popleft()
            self._missed += 1
        self._events.append(event)
        self._filled.set()

    async def get(self) -> WatchEvent:
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return {"event": "missed", "count": missed}
        event = self._events.popleft()
        if not self._events:
            self._filled.clear()
        return event
