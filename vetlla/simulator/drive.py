"""Run a scenario: homes that live side by side, called on at a rate or by their own acknowledgements."""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

from vetlla.domain.errors import LinkError, UsageError
from vetlla.simulator.dialling.line import trust
from vetlla.simulator.dialling.subscriber import Call, Subscriber
from vetlla.simulator.events import Story
from vetlla.simulator.scenario import Connection, Transport
from vetlla.simulator.statistics import Counts, Report, conclude

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Iterator, Sequence

    from vetlla.simulator.dialling.subscriber import Settled
    from vetlla.simulator.events import Tell
    from vetlla.simulator.message import Message
    from vetlla.simulator.scenario import Scenario

DRAIN_S = 30.0
"""After the end, what was due may still be settled for so long; the rest counts as lost."""
SPARE_FILES = 64
"""Descriptors besides the homes' own: output, event loop, libraries."""
TICK_S = 0.001
"""Shortest wait between two releases under a rate: what a timer can do."""
BATCH = 4
"""Messages of one home in one segment, at most."""
DIALS_AT_ONCE = 100
"""Homes that connect at the same moment before the clock starts: fewer than a listener's usual backlog of 128."""


async def drive(
    scenario: Scenario,
    *,
    stop: asyncio.Event | None = None,
    settled: Settled | None = None,
    counts: Counts | None = None,
    drain_s: float = DRAIN_S,
    tell: Tell | None = None,
) -> Report:
    """Run the scenario to its end, or until ``stop`` is set, and return what came of it.

    ``settled`` is called with every message that has met its fate (``Ledger.write``); ``counts`` are kept up to date
    for whoever wants to watch; ``tell`` hears in words what befalls the fleet; what is still open ``drain_s`` after the
    end is lost. Raises UsageError when this
    process may not open enough sockets, or cannot read the certificate to trust.
    """
    stop = stop or asyncio.Event()
    counts = counts or Counts()
    if scenario.transport is Transport.TLS:
        trust(scenario.trusted)  # a certificate that cannot be read is told before anybody calls
    _allow_sockets(len(scenario.accounts) * (2 if scenario.faults.duplicate else 1))
    subscribers = [Subscriber(scenario, index, counts, settled) for index in range(len(scenario.accounts))]
    if scenario.rate is None:
        lives = [
            subscriber.live_by_answers(ready, counts, stop)
            for subscriber, ready in zip(subscribers, _prepared(scenario, subscribers), strict=True)
        ]
    else:
        lives = [subscriber.live_by_inbox() for subscriber in subscribers]
        lives.append(_feed(scenario, subscribers, scenario.rate, counts, stop))
    if scenario.connection is Connection.KEEP and (scenario.rate is None or scenario.outage or scenario.silence):
        await _dial_all(subscribers)
    story = Story(
        subscribers, counts, stop, outage=scenario.outage, silence=scenario.silence, seed=scenario.seed, tell=tell
    )
    began = time.monotonic()
    await _live(lives, story.chapters(), scenario.duration_s, drain_s, stop)
    counts.lost = counts.told - counts.acknowledged - counts.sent - counts.refused
    return conclude(counts, homes=len(subscribers), seconds=time.monotonic() - began)


def _prepared(scenario: Scenario, subscribers: Sequence[Subscriber]) -> Iterator[Iterable[list[Message]]]:
    """Yield for each home the messages of its calls: its share of the reports, or without end."""
    for index, subscriber in enumerate(subscribers):
        quota = None
        if scenario.reports is not None:
            quota = scenario.reports // len(subscribers) + (index < scenario.reports % len(subscribers))
        ready = map(subscriber.messages, _sizes(scenario.faults.batch, quota, subscriber.random))
        yield list(ready) if scenario.prebuilt else ready


def _sizes(share: float, quota: int | None, random: Random) -> Iterator[int]:
    """Yield the number of messages of each call: mostly one; up to the quota in all."""
    while quota is None or quota > 0:
        size = BATCH if share and random.random() < share else 1
        if quota is not None:
            size = min(size, quota)
            quota -= size
        yield size


async def _feed(
    scenario: Scenario, subscribers: Sequence[Subscriber], rate: float, counts: Counts, stop: asyncio.Event
) -> None:
    """Make calls due at random instants (a Poisson process) in random homes, settled or not the earlier ones."""
    random = Random(scenario.seed)  # noqa: S311 - a simulation, not a secret
    due_s = time.monotonic()
    # What is to be missed later must have been heard before, and a line that never carried a frame does not stand long.
    first = scenario.faults.storm or int(bool(scenario.outage or scenario.silence))
    for subscriber in subscribers:
        for _ in range(first):
            _release(subscriber, due_s, 1, counts)
    for size in _sizes(scenario.faults.batch, scenario.reports, random):
        due_s += random.expovariate(rate / size)
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, TICK_S)):
                    await stop.wait()
        if stop.is_set():
            break
        subscriber = random.choice(subscribers)
        if not subscriber.is_silent:
            _release(subscriber, due_s, size, counts)
    for subscriber in subscribers:
        subscriber.inbox.put_nowait(None)


def _release(subscriber: Subscriber, due_s: float, size: int, counts: Counts) -> None:
    counts.told += size
    subscriber.inbox.put_nowait(Call(round(due_s * 1e9), size))


async def _dial_all(subscribers: Sequence[Subscriber]) -> None:
    """Connect every home before the clock starts. One that cannot connect finds out again with its first message.

    Only where homes call at once, or where something befalls a fleet that stands connected: otherwise a home that is
    connected and silent is another thing than one that calls.
    """
    turn = asyncio.Semaphore(DIALS_AT_ONCE)

    async def dial(subscriber: Subscriber) -> None:
        async with turn:
            with suppress(LinkError):
                await subscriber.dialler.dial()

    async with asyncio.TaskGroup() as group:
        for subscriber in subscribers:
            group.create_task(dial(subscriber))


async def _live(
    lives: Iterable[Coroutine[None, None, None]],
    chapters: Iterable[Coroutine[None, None, None]],
    duration_s: float | None,
    drain_s: float,
    stop: asyncio.Event,
) -> None:
    """Let all live until they end, or until the drain after ``stop`` is over; what befalls them ends with them."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(life) for life in lives]
        rest = [group.create_task(chapter) for chapter in chapters]
        rest.append(group.create_task(_end(tasks, duration_s, drain_s, stop)))
        await asyncio.wait(tasks)
        for task in rest:
            task.cancel()


async def _end(
    tasks: Sequence[asyncio.Task[None]], duration_s: float | None, drain_s: float, stop: asyncio.Event
) -> None:
    try:
        async with asyncio.timeout(duration_s):
            await stop.wait()
    except TimeoutError:
        stop.set()
    await asyncio.sleep(drain_s)
    for task in tasks:
        task.cancel()


def _allow_sockets(wanted: int) -> None:
    """Raise this process's own limit of open files as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise UsageError(
            f"{wanted} sockets are wanted and this process may open {hard} files",
            remedy=f"simulate fewer homes, or allow more: ulimit -Hn {needed}",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
