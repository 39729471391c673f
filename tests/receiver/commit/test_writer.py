"""The writer's thread does one job at a time, in order, and reports each to the event loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.rigs.journals import Scribe, report
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.receiver.commit.writer import Writer
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vetlla.domain.clock import Instant

WITHIN_S = 10


async def did(ask: Callable[[Callable[[Instant, StoreError | None], None]], None]) -> StoreError | None:
    """Request a job and wait for the report, which comes in this loop."""
    done: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()
    loop_thread = threading.get_ident()

    def report_back(_: Instant, failure: StoreError | None) -> None:
        assert threading.get_ident() == loop_thread
        done.set_result(failure)

    ask(report_back)
    async with asyncio.timeout(WITHIN_S):
        return await done


@asynccontextmanager
async def desk(directory: Path) -> AsyncIterator[tuple[Writer, Scribe]]:
    scribe = Scribe(directory, ManualClock())
    writer = Writer(scribe.journal, asyncio.get_running_loop(), scribe.clock)
    try:
        yield writer, scribe
    finally:
        writer.close()


def stored(directory: Path) -> list[int]:
    with Archive(directory) as archive:
        return [one.id for one in history.stream(archive, history.signals())]


async def test_jobs_are_done_in_order_and_reported_in_the_loop(tmp_path: Path) -> None:
    """A batch is on the disk before it is reported, and the reports come in the order of the jobs."""
    order: list[str] = []
    async with desk(tmp_path) as (writer, scribe):
        first = scribe.signals([report(1)])
        scribe.next_signal, scribe.next_commit = 2, 2
        second = scribe.signals([report(2), report(3)])
        writer.write(first, lambda *_: order.append("first"))
        writer.checkpoint(lambda *_: order.append("checkpoint"))
        writer.resume(lambda *_: order.append("resume"))
        assert await did(lambda done: writer.write(second, done)) is None
        assert stored(tmp_path) == [1, 2, 3]
    assert order == ["first", "checkpoint", "resume"]


async def test_a_failure_is_reported_and_the_thread_continues(tmp_path: Path) -> None:
    """A batch that cannot be written is reported as failed, and the next one is written."""
    async with desk(tmp_path) as (writer, scribe):
        batch = scribe.signals([report(1), report(1)])
        batch.signals[1] = batch.signals[0]
        failure = await did(lambda done: writer.write(batch, done))
        assert failure is not None
        assert "UNIQUE constraint failed" in str(failure)
        assert stored(tmp_path) == []
        assert await did(lambda done: writer.write(scribe.signals([report(1)]), done)) is None
        assert stored(tmp_path) == [1]


async def test_a_bug_stops_the_answer_not_the_thread(tmp_path: Path) -> None:
    """Any error in a job is reported as a failure of the store, because the caller would otherwise wait for ever."""

    class Broken(Journal):
        def checkpoint(self) -> None:
            raise LookupError("a bug")

    writer = Writer(Broken(tmp_path, ManualClock()), asyncio.get_running_loop(), ManualClock())
    failure = await did(writer.checkpoint)
    assert isinstance(failure, StoreError)
    assert "a bug" in str(failure)
    assert isinstance(failure.__cause__, LookupError)
    assert await did(writer.resume) is None
    writer.close()


async def test_closing_finishes_all_jobs(tmp_path: Path) -> None:
    """All jobs that were handed over are on the disk, and the next receiver can open the journal."""
    scribe = Scribe(tmp_path, ManualClock())
    writer = Writer(scribe.journal, asyncio.get_running_loop(), scribe.clock)
    for number in range(1, 40):
        writer.write(scribe.signals([report(number)]), lambda *_: None)
        scribe.next_signal, scribe.next_commit = number + 1, number + 1
    await asyncio.to_thread(writer.close)
    assert stored(tmp_path) == list(range(1, 40))
    Journal(tmp_path, ManualClock()).close()
