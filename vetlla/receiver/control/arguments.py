"""What requests have in common: arguments read strictly, and a step done between two batches."""

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
    """Return an argument that says something, without blanks around it. Raises UsageError."""
    if not (value := words(request, name, at_most=at_most)):
        raise UsageError(f"{name!r} should be a text that says something")
    return value


def words(request: Request, name: str, *, at_most: int = TEXT_MAX) -> str:
    """Return an argument that may say nothing, without blanks around it. Raises UsageError."""
    value = request.arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UsageError(f"{name!r} should be a text that says something")
    if len(value := value.strip()) > at_most:
        raise UsageError(f"{name!r} holds at most {at_most} characters", remedy="say it shorter")
    return value


def named_account(request: Request) -> tuple[str, str | None, str | None]:
    """Return the account, receiver and line that a request names; None where it leaves one of these two open."""
    receiver, line = (
        None if request.arguments.get(name) is None else words(request, name) for name in ("receiver", "line")
    )
    return text(request, "account"), receiver, line


def choices(request: Request, name: str, known: Iterable[str]) -> frozenset[str]:
    """Return an argument that is a list of known words; empty where it is not given. Raises UsageError."""
    given, words_known = request.arguments.get(name) or [], frozenset(known)
    if not isinstance(given, list) or not all(isinstance(one, str) and one in words_known for one in given):
        raise UsageError(f"{name!r} should be a list of words", remedy=f"of {', '.join(sorted(words_known))}")
    return words_known.intersection(given)


def flag(request: Request, name: str) -> bool:
    """Return True if an argument is true; one that is missing is not."""
    return request.arguments.get(name) is True


async def perform(
    commit: GroupCommit, step: Callable[[Batch], _T], happened: Callable[[_T], object] = lambda _: None
) -> tuple[_T, bool]:
    """Do a step between two batches; return its result when it is durable, or as soon as it is known not to be.

    ``happened`` hears the result whether or not whoever asked is still there.
    """
    done: asyncio.Future[tuple[_T, bool]] = asyncio.get_running_loop().create_future()

    def report(result: Any, durable: bool) -> None:  # noqa: ANN401, FBT001 - the shape of Operation.done
        if not isinstance(result, Exception):
            happened(result)
        if done.done():
            return  # whoever asked has hung up
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result((result, durable))

    commit.perform(Operation(step, report))
    return await done
