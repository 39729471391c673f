"""When the service does not use a channel after failures, and how long a message waits before it is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

FAILURES: Final = 5
"""Calls in a row that fail before the circuit opens by itself."""
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
BACK_OFF_FIRST: Final = timedelta(seconds=10)
BACK_OFF_LONGEST: Final = timedelta(minutes=15)
PAIR_FIRST: Final = timedelta(seconds=6)
"""Least time between two messages to one person (Meta's Cloud API, code 131056)."""
PAIR_LONGEST: Final = timedelta(hours=1)
_EXPONENT_MAX: Final = 16
"""Keeps the powers small; all waits have reached their longest before."""


def back_off(tries: int) -> timedelta:
    """Return the wait after a call was refused for now: 10 s, 20 s, 40 s ... at most 15 minutes."""
    return min(BACK_OFF_FIRST * 2.0 ** min(tries, _EXPONENT_MAX), BACK_OFF_LONGEST)


def pair_wait(tries: int) -> timedelta:
    """Return the wait after "too many messages to this person": 4^n seconds, as Meta says, and at least 6."""
    return min(max(PAIR_FIRST, timedelta(seconds=int(4 ** min(tries, _EXPONENT_MAX)))), PAIR_LONGEST)


class Circuit(NamedTuple):
    """The failures of a channel in a row, and until when the service does not use it."""

    failures: int = 0
    open_until: datetime | None = None
    is_stopped: bool = False
    """True until a person closes it: the provider refuses the account itself."""
    why: str = ""

    def is_closed(self, now: datetime) -> bool:
        """Return True if messages may be sent. After the pause the next failure opens it again."""
        return not self.is_stopped and (self.open_until is None or now >= self.open_until)

    def succeeded(self) -> Circuit:
        """Return the circuit after a call that the provider took. A stopped one stays stopped."""
        return self if self.is_stopped else Circuit()

    def failed(self, now: datetime, why: str = "") -> Circuit:
        """Return the circuit after a call without an answer, or with an answer that says that the provider is ill."""
        failures = self.failures + 1
        if failures < FAILURES:
            return self._replace(failures=failures)
        pause = min(FIRST_PAUSE * 2 ** min(failures - FAILURES, _EXPONENT_MAX), LONGEST_PAUSE)
        return self._replace(failures=failures, open_until=now + pause, why=why)

    def stopped(self, why: str) -> Circuit:
        """Return the circuit of a channel that stays alone until a person closes it."""
        return self._replace(is_stopped=True, why=why)
