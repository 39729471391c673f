"""Whether a report that was understood is taken. Plain functions of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import UnknownPolicy
from vetlla.domain.clock import SECOND_US, to_us
from vetlla.domain.signals import Reason

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Signal


def objection(
    signal: Signal, account: Account | None, now_us: int, *, unknown: UnknownPolicy, plain_for_keyed: bool
) -> Reason | None:
    """Return why a signal must be refused, or None.

    An account that has a key is not heard in clear (otherwise encryption protects nobody). The clock guards encrypted
    frames only: plain ones come from panels with wrong clocks and from queues, and are always taken (DC-09, section 3
    of the fact sheet).
    """
    if account is None:
        return Reason.UNKNOWN_ACCOUNT if unknown is UnknownPolicy.REFUSE else None
    if account.key_name and not signal.sealed_with and not plain_for_keyed:
        return Reason.PLAIN_REFUSED
    window = account.clock_window
    if signal.sealed_with and window is not None and signal.sent_at is not None:
        ahead_us = to_us(signal.sent_at) - now_us
        if not -window.behind_s * SECOND_US <= ahead_us <= window.ahead_s * SECOND_US:
            return Reason.STALE_TIME
    return None
