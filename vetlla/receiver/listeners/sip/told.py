"""Our answers to reports, each a MESSAGE of its own: whether the terminal confirmed it, and its repetitions over UDP.

The report is stored whatever becomes of its answer. A terminal that does not get the answer sends its report again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from vetlla.domain.clock import SECOND_US
from vetlla.domain.masking import masked_account
from vetlla.protocols.sip.transactions.client import ClientTransaction, response_key
from vetlla.protocols.sip.transactions.timers import WHOLE_US
from vetlla.receiver.counters import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.protocols.sip.message import Response
    from vetlla.receiver.session import SessionServices

log = structlog.get_logger()

ANSWERS_MOST: Final = 200_000
"""Most answers that wait for their confirmation: those of 5,000 reports/s that no terminal confirms, for 32 s. Further
ones are sent once, and count as not heard."""
REFUSED: Final = 300
"""Lowest status of a response that is no success."""
_METHOD: Final = "MESSAGE"


class _Waiting(NamedTuple):
    """An answer that is not confirmed."""

    transaction: ClientTransaction
    account: str
    again: Callable[[], None] | None
    """Sends it again; None over a connection, which repeats by itself."""


class Answers:
    """The answers of one door that are not confirmed."""

    def __init__(self, services: SessionServices, *, most: int = ANSWERS_MOST, whole_us: int = WHOLE_US) -> None:
        """``whole_us`` is how long one waits for its confirmation (timer F)."""
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._whole_us = whole_us
        self._waiting: dict[str, _Waiting] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def sent(self, branch: str, account: str, again: Callable[[], None] | None) -> None:
        """Take an answer that is sent now."""
        if len(self._waiting) >= self._most:
            self._ended(account, Told.UNHEARD)
            return
        transaction = ClientTransaction(
            (branch, _METHOD), self._now_us(), is_reliable=again is None, whole_us=self._whole_us
        )
        self._waiting[branch] = _Waiting(transaction, account, again)
        self._set(branch, transaction)

    def take(self, response: Response) -> None:
        """Take a response of a terminal. One to something else is passed over."""
        key = response_key(response)
        waiting = self._waiting.get(key[0]) if key is not None else None
        if key is None or waiting is None or not waiting.transaction.take(response, self._now_us()):
            return
        self._forget(key[0])
        self._ended(waiting.account, Told.REFUSED if response.status >= REFUSED else Told.DELIVERED)

    def close(self) -> None:
        """Wait for no confirmation any longer."""
        if self._waiting:
            log.warning("sip.unconfirmed", answers=len(self._waiting))
        for branch in list(self._waiting):
            self._forget(branch)

    def _tick(self, branch: str) -> None:
        transaction, account, again = self._waiting[branch]
        if transaction.tick(self._now_us()) and again is not None:
            again()
        if transaction.is_timed_out:
            self._forget(branch)
            self._ended(account, Told.UNHEARD)
        else:
            self._set(branch, transaction)

    def _set(self, branch: str, transaction: ClientTransaction) -> None:
        due_us = transaction.due_us
        assert due_us is not None
        self._timers[branch] = self._loop.call_at(due_us / SECOND_US, self._tick, branch)

    def _forget(self, branch: str) -> None:
        del self._waiting[branch]
        self._timers.pop(branch).cancel()

    def _ended(self, account: str, what: Told) -> None:
        self._services.counters.sip_answers[what] += 1
        if what is Told.DELIVERED:
            return
        suppressed = self._services.budget.log_limiter.ask(("sip.answer", account))
        if suppressed is not None:
            log.warning("sip.answer_untold", account=masked_account(account), why=what.value, suppressed=suppressed)

    def _now_us(self) -> int:
        return round(self._loop.time() * SECOND_US)
