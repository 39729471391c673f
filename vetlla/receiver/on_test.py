"""Accounts on test: whose alarms are shown apart, until when, who ordered it and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.clock import SECOND_US
from vetlla.errors import UsageError
from vetlla.store.batch import Entry, OnTest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.clock import Instant
    from vetlla.service.queue import Hand
    from vetlla.store.batch import Batch


class AccountsOnTest:
    """The running tests. A test's end is judged when it is asked for, by no sweeper."""

    def __init__(self, recovered: Iterable[OnTest]) -> None:
        self.by_account = {test.account: test for test in recovered}
        """Tests by account in small letters; some may have ended. Read it to ask quickly whether there is any."""

    def put(self, account: str, hand: Hand, seconds: int, reason: str, batch: Batch) -> OnTest | None:
        """Put an account on test for a time, or end its test (0 seconds). Raises UsageError if none is running.

        Spelled wrong, an end would leave the account that is meant on test, and its calls apart.
        """
        if not seconds and self.of(account, hand.now.utc_us) is None:
            raise UsageError(f"account {account} is not on test", remedy="vetlla queue test lists those that are")
        account = account.casefold()
        test = None
        if seconds:
            until_us = hand.now.utc_us + seconds * SECOND_US
            test = self.by_account[account] = OnTest(account, hand.now.utc_us, until_us, hand.operator, reason)
        else:
            self.by_account.pop(account, None)
        batch.tests[account] = test
        detail: dict[str, object] = {"seconds": seconds, "reason": reason}
        batch.audit.append(Entry(hand.now.utc_us, hand.operator, "test", f"account {account}", detail))
        return test

    def of(self, account: str, now_us: int) -> OnTest | None:
        """Return the running test of an account."""
        test = self.by_account.get(account.casefold())
        return test if test and now_us < test.until_us else None

    def running(self, now: Instant) -> list[OnTest]:
        """Return every running test."""
        return [test for test in self.by_account.values() if now.utc_us < test.until_us]
