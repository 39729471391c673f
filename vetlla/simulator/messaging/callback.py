"""Calls the address that a city gave its provider, and again until the call is taken, as that provider does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vetlla.domain.messages import Channel
    from vetlla.simulator.messaging.faults import ChannelFaults
    from vetlla.simulator.messaging.phones import PhoneBook

T = TypeVar("T")
ANSWER_S: Final = 10.0
"""Longest time for which an answer is waited for."""
NOT_REACHED: Final = 0
"""Stands for the status of a call that had no answer."""


class Post(NamedTuple):
    """One call of the address."""

    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Callback(Generic[T]):
    """Tells the city what happens. What is told at one time is told in order, if no fault says otherwise."""

    book: PhoneBook
    channel: Channel
    faults: Callable[[], ChannelFaults]
    posts: Callable[[list[T]], Iterable[Post]]
    """Makes the calls that tell these things."""
    wait: Callable[[int, int], float | None]
    """Seconds until the next attempt after a status (0 for no answer) and a number of attempts; None for no other."""
    _pending: list[T] = field(default_factory=list)
    _client: aiohttp.ClientSession | None = None

    def tell(self, one: T) -> None:
        """Tell something soon."""
        if not self._pending:
            self.book.agenda.soon(self._flush)
        self._pending.append(one)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def get(self, url: str, query: Mapping[str, str]) -> tuple[int, str]:
        """Return status and text of a visit of the address."""
        try:
            async with self._open().get(url, params=query, allow_redirects=False) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return NOT_REACHED, ""

    async def _flush(self) -> None:
        pending, self._pending = self._pending, []
        if self.faults().out_of_order:
            pending.reverse()
        for post in self.posts(pending):
            await self._attempt(post, 1)

    async def _attempt(self, post: Post, number: int) -> None:
        status = await self._call(post, number)
        if 200 <= status < 300:
            for _ in range(self.faults().repeats):
                await self._call(post, number)
            return
        seconds = self.wait(status, number)
        if seconds is not None:
            self.book.agenda.later(seconds, lambda: self._attempt(post, number + 1))

    async def _call(self, post: Post, number: int) -> int:
        # The address is called as it was given: a signature may cover it, and aiohttp would write its escapes again.
        url = URL(post.url, encoded=True)
        try:
            async with self._open().post(url, data=post.body, headers=post.headers, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = NOT_REACHED
        shown = str(status or "no answer")
        self.book.happened("webhook", channel=self.channel, detail=f"{shown}, attempt {number}")
        return status

    def _open(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        return self._client
