"""Server transactions (RFC 3261, 17.2.2): a request that comes again gets the same answer, and is not taken twice.

A sender over UDP repeats its request after 0.5, 1, 2, 4, 4 ... s until an answer comes or 32 s have passed. A
repetition is the same bytes. Some senders do not make their branches unique: those of RFC 2543, or a terminal whose
random numbers begin alike after each start. Their second call must not be taken for a repetition of the first one. So
the key has the branch and everything else that a repetition cannot change, the body too. That is stricter than 17.2.3.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.protocols.sip.transactions.timers import WHOLE_US

if TYPE_CHECKING:
    from vetlla.protocols.sip.message import Request

TRANSACTIONS_MOST: Final = 200_000
"""Most answers that are kept. 5,000 requests/s over UDP for 32 s are 160,000, with some 600 bytes each."""

Key: TypeAlias = tuple[str, str, str, str, str, str, str, int]


class Repeated(NamedTuple):
    """A request that has come before."""

    answer: bytes
    """The answer that it got, to be sent again; b"" while the first one is still being served."""


class ServerTransactions:
    """The requests of one transport that were or are being served. Times are microseconds of the monotonic clock."""

    def __init__(self, *, is_reliable: bool, most: int = TRANSACTIONS_MOST) -> None:
        """Take whether the transport repeats by itself (TCP, TLS): then nothing is kept after the answer (timer J)."""
        self._is_reliable = is_reliable
        self._most = most
        self._answers: dict[Key, bytes] = {}
        """b"" while a request is being served."""
        self._ending: deque[tuple[int, Key]] = deque()
        """When each answered request will be forgotten, the earliest first."""

    def __len__(self) -> int:
        return len(self._answers)

    @property
    def due_us(self) -> int | None:
        """When ``expire`` will have something to forget."""
        return self._ending[0][0] if self._ending else None

    def begin(self, key: Key) -> Repeated | None:
        """Return what is known of a request that came before. None for a new one, which is being served from now on."""
        answer = self._answers.get(key)
        if answer is not None:
            return Repeated(answer)
        self._answers[key] = b""
        return None

    def answered(self, key: Key, answer: bytes, now_us: int) -> None:
        """Take the final answer to a request that is being served. The caller sends it."""
        if self._is_reliable:
            self._answers.pop(key, None)
            return
        self._answers[key] = answer
        self._ending.append((now_us + WHOLE_US, key))
        if len(self._ending) > self._most:
            # The oldest one would be repeated last. Its report is still known by what it says.
            self._answers.pop(self._ending.popleft()[1], None)

    def dropped(self, key: Key) -> None:
        """Forget a request that will get no answer, so that its repetition is served as a new one."""
        self._answers.pop(key, None)

    def expire(self, now_us: int) -> None:
        """Forget the requests whose senders no longer repeat them (timer J)."""
        ending = self._ending
        while ending and ending[0][0] <= now_us:
            self._answers.pop(ending.popleft()[1], None)


def key_of(request: Request) -> Key:
    """Return what a request and its repetitions have in common, and no other request."""
    headers = request.headers
    via = headers.via
    sent_by, branch = (via.sent_by, via.branch) if via is not None else (headers.first("via"), "")
    return (
        request.method,
        request.uri,
        sent_by,
        branch,
        headers.first("call-id"),
        headers.first("cseq"),
        headers.first("from"),
        hash(request.body),
    )
