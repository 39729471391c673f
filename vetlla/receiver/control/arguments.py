"""Helpers for all requests: they read arguments strictly and do a step between two batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from vetlla.domain.errors import UsageError
from vetlla.receiver.commit.group import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.server import Request
    from vetlla.store.journal.batch import Batch

_T = TypeVar("_T")

TEXT_MAX = 500
"""Characters of a name or a reason."""


def number(request: Request, name: str) -> int:
    """Return an argument that is a whole number. Raises UsageError."""
    value = request.arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{name!r} should be a whole number")
    return value


def text(request: Request, name: str, *, at_most: int = TEXT_MAX) -> str:
    """Return an argument that is a text with characters in it, without blanks around it. Raises UsageError."""
    if not (value := words(request, name, at_most=at_most)):
        raise UsageError(f"{name!r} should be a text that is not empty")
    return value


def words(request: Request, name: str, *, at_most: int = TEXT_MAX) -> str:
    """Return an argument that is a text and may be empty or missing, without blanks around it. Raises UsageError."""
    value = request.arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"{name!r} should be a text")
    if len(value := value.strip()) > at_most:
        raise UsageError(f"{name!r} holds at most {at_most} characters", remedy="shorten it")
    return value


def named_account(request: Request) -> tuple[str, str | None, str | None]:
    """Return the account, receiver and line that a request names; receiver or line is None if it is not named."""
    receiver, line = (
        None if request.arguments.get(name) is None else words(request, name) for name in ("receiver", "line")
    )
    return text(request, "account"), receiver, line


def choices(request: Request, name: str, known: Iterable[str]) -> frozenset[str]:
    """Return an argument that is a list of known words; it is empty if it is not given. Raises UsageError."""
    given, words_known = request.arguments.get(name) or [], frozenset(known)
    if not isinstance(given, list) or not all(isinstance(one, str) and one in words_known for one in given):
        raise UsageError(f"{name!r} should be a list of words", remedy=f"of {', '.join(sorted(words_known))}")
    return words_known.intersection(given)


def flag(request: Request, name: str) -> bool:
    """Return True if an argument is given and true."""
    return request.arguments.get(name) is True


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
