"""Accounts on test, whose alarms are shown apart: until when, who ordered the test and why.

A test names one registered account, since another home may have the same number behind another receiver or line. It
ends by the monotonic clock, so that a wall clock that is set back does not prolong it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import OnTest, account_key
from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import UsageError
from vetlla.service.queue.marks import REPEATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Priority
    from vetlla.service.queue.steps import OperatorAction
    from vetlla.store.journal.batch import Batch


class AccountsOnTest:
    """The running tests. Each query checks whether a test has ended; no timer ends it."""

    def __init__(self, recovered: Iterable[OnTest], boot: int) -> None:
        self._boot = boot
        self.by_place = {test.place.folded: test for test in recovered}
        """Tests by the place of their account; some may have ended. If it is empty, no account is on test."""

    def resume(self, now: Instant) -> None:
        """Let each test run only for its remaining time after a restart of the machine.

        A restart begins another monotonic clock. If the wall clock was set back meanwhile, no test becomes longer than
        it was ordered.
        """
        for key, test in self.by_place.items():
            if test.boot != self._boot:
                left_us = min(test.until_us - now.utc_us, test.until_us - test.since_us)
                self.by_place[key] = test._replace(until_mono_us=now.mono_us + left_us, boot=self._boot)

    def put(self, account: Account, acting: OperatorAction, seconds: int, reason: str, batch: Batch) -> OnTest | None:
        """Put an account on test for a time, or end its test (0 seconds). Raises UsageError if none is running."""
        place, now = account_key(account), acting.now
        if not seconds and self.of(account, now) is None:
            raise UsageError(f"account {place} is not on test", remedy="vetlla queue test lists the accounts on test")
        test = None
        if seconds:
            test = OnTest(
                place=place,
                since_us=now.utc_us,
                until_us=now.utc_us + seconds * SECOND_US,
                until_mono_us=now.mono_us + seconds * SECOND_US,
                boot=self._boot,
                operator=acting.operator,
                reason=reason,
            )
            self.by_place[place.folded] = test
        else:
            self.by_place.pop(place.folded, None)
        batch.tests[place] = test
        batch.record(now.utc_us, acting.operator, "test", f"account {place}", seconds=seconds, reason=reason)
        return test

    def of(self, account: Account | None, now: Instant) -> OnTest | None:
        """Return the running test of a registered account, or None."""
        if not self.by_place or account is None:
            return None
        test = self.by_place.get(account_key(account).folded)
        return test if test and now.mono_us < test.until_mono_us else None

    def covers(self, account: Account | None, now: Instant) -> bool:
        """Return True if a registered account is on test. A stranger never is."""
        return self.of(account, now) is not None

    def mark_us(self, account: Account | None, priority: Priority, now: Instant, most_us: int) -> int | None:
        """Return when an emergency that came on test is put before a supervisor, unless a person closes it first.

        That is at the end of the test, and after ``most_us`` at the latest. None for priorities that escalate once.
        """
        test = self.of(account, now)
        if test is None or priority not in REPEATED:
            return None
        return min(test.until_mono_us, now.mono_us + most_us)

    def running(self, now: Instant) -> list[OnTest]:
        """Return every running test."""
        return [test for test in self.by_place.values() if now.mono_us < test.until_mono_us]
