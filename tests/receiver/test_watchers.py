"""Events reach every watcher, and no part waits for a watcher."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import ManualClock
from vetlla.receiver.watchers import Watchers, happening

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from vetlla.receiver.control.messages.watch import WatchEvent


async def heard(events: AsyncGenerator[WatchEvent, None], count: int) -> list[Any]:
    """Return the next events, by their number."""
    told = [await anext(events) for _ in range(count)]
    return [event["count"] if event["event"] == "listed" and "count" in event else event for event in told]


def numbered(number: int) -> WatchEvent:
    return {**happening("listed", ManualClock().now(), "list"), "count": number}


async def standing(*numbers: int) -> AsyncGenerator[WatchEvent, None]:
    for number in numbers:
        yield numbered(number)


async def test_every_watcher_receives_every_event_in_order() -> None:
    """Two watchers receive the same events; a watcher that comes later receives only later events."""
    told = Watchers()
    one, other = told.watch(), told.watch()
    first = asyncio.ensure_future(heard(one, 3))
    await asyncio.sleep(0)
    told.publish(numbered(1))
    second = asyncio.ensure_future(heard(other, 2))
    await asyncio.sleep(0)
    told.publish(numbered(2))
    told.publish(numbered(3))
    assert (await first, await second) == ([1, 2, 3], [2, 3])
    await one.aclose()
    await other.aclose()


async def test_no_event_is_lost_between_the_first_events_and_later_ones() -> None:
    """Events that come while a watcher still reads the standing ones follow after them."""
    told = Watchers()
    events = told.watch(standing(1, 2))
    assert await heard(events, 1) == [1]
    told.publish(numbered(3))
    assert await heard(events, 2) == [2, 3]
    await events.aclose()


async def test_the_dispatch_is_false_without_watchers() -> None:
    """Watchers is false while no watcher listens, so that events need not be made; a watcher that stops is removed."""
    told = Watchers()
    assert not told
    events = told.watch(standing(1))
    await anext(events)
    assert told
    await events.aclose()
    assert not told


async def test_a_slow_watcher_loses_the_oldest_and_is_told_how_many() -> None:
    """Its backlog is bounded; it receives the size of the gap before the events after the gap."""
    told = Watchers(backlog=3)
    events = told.watch(standing(0))
    await anext(events)
    for number in range(1, 8):
        told.publish(numbered(number))
    assert await heard(events, 4) == [{"event": "missed", "count": 4}, 5, 6, 7]
    told.publish(numbered(8))
    assert await heard(events, 1) == [8]
    await events.aclose()
