"""Run a scenario: many homes at once, which send at a given rate or after each acknowledgement."""

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
"""Time after the end in which open messages may still be settled. The rest count as lost."""
SPARE_FILES = 64
"""Descriptors that the output, the event loop and the libraries need besides those of the homes."""
TICK_S = 0.001
"""Shortest wait between two releases under a rate. A timer cannot do less."""
BATCH = 4
"""Largest number of messages of one home in one segment."""
DIALS_AT_ONCE = 100
"""Homes that connect at the same time before the clock starts: fewer than a listener's usual backlog of 128."""


async def drive(
    scenario: Scenario,
    *,
    stop: asyncio.Event | None = None,
    settled: Settled | None = None,
    counts: Counts | None = None,
    drain_s: float = DRAIN_S,
    tell: Tell | None = None,
) -> Report:
    """Run the scenario to its end, or until ``stop`` is set, and return the result.

    ``settled`` is called with every message whose fate is decided (``Ledger.write``). ``counts`` are kept up to date
    during the run, so that a caller can watch them. ``tell`` is called with a sentence for each event of the fleet.
    A message that is still open ``drain_s`` after the end is lost.
    Raises UsageError if this process may not open enough sockets, or cannot read the certificate to trust.
    """
    stop = stop or asyncio.Event()
    counts = counts or Counts()
    if scenario.transport is Transport.TLS:
        trust(scenario.trusted)  # raises for an unreadable certificate before any home calls
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
    """Yield for each home the messages of its calls: its share of the reports, or an endless series."""
    for index, subscriber in enumerate(subscribers):
        quota = None
        if scenario.reports is not None:
            quota = scenario.reports // len(subscribers) + (index < scenario.reports % len(subscribers))
        ready = map(subscriber.messages, _sizes(scenario.faults.batch, quota, subscriber.random))
        yield list(ready) if scenario.prebuilt else ready


def _sizes(share: float, quota: int | None, random: Random) -> Iterator[int]:
    """Yield the number of messages of each call, mostly one. Together they are the quota."""
    while quota is None or quota > 0:
        size = BATCH if share and random.random() < share else 1
        if quota is not None:
            size = min(size, quota)
            quota -= size
        yield size


async def _feed(
    scenario: Scenario, subscribers: Sequence[Subscriber], rate: float, counts: Counts, stop: asyncio.Event
) -> None:
    """Make calls due in random homes at random instants (a Poisson process), even if earlier ones are not settled."""
    random = Random(scenario.seed)  # noqa: S311 - a simulation, not a secret
    due_s = time.monotonic()
    # The receiver can miss only a home that it heard before, and it soon closes a line that never carried a frame.
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
    """Connect every home before the clock starts. A home that cannot connect tries again with its first message.

    Called only if homes call at once, or if an outage or a silence is to hit a connected fleet. In other runs a home
    dials when it calls, because a connected silent home is a different load.
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
    """Run all homes until they end, or until the drain after ``stop`` is over. Then cancel the fleet's events."""
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
    """Raise this process's own limit of open files. Raises UsageError if the system does not allow enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise UsageError(
            f"the homes need {wanted} sockets, but this process may open only {hard} files",
            remedy=f"simulate fewer homes, or allow more: ulimit -Hn {needed}",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
