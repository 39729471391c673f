"""Lets a request do a step between two batches, and wait for its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from vetlla.receiver.commit.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.store.journal.batch import Batch

_T = TypeVar("_T")


async def perform(
    commit: GroupCommit, step: Callable[[Batch], _T], happened: Callable[[_T], object] = lambda _: None
) -> tuple[_T, bool]:
    """Do a step between two batches; return its result and whether it is durable, as soon as that is known.

    ``happened`` is called with the result even if the caller has gone.
    """
    done: asyncio.Future[tuple[_T, bool]] = asyncio.get_running_loop().create_future()

    def report(result: Any, durable: bool) -> None:  # noqa: ANN401, FBT001 - the shape of Operation.done
        if not isinstance(result, Exception):
            happened(result)
        if done.done():
            return  # the caller has gone
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result((result, durable))

    commit.perform(Operation(step, report))
    return await done
